// What keeps the service alive: queue, by tenant too, workers, lanes, GPUs with what is promised, held
// and free, webhooks, what could not be delivered. Read every two seconds from GET /api/v1/admin/capacity.

import { get, post } from "./api.js";
import { ask, fill, h, icon, sparkline, toast } from "./dom.js";
import { allDeliveries } from "./deliveries.js";
import { ago, bytes, plain, seconds } from "./words.js";

const POLL_MS = 2000;
const SAMPLES = 90;
const KEPT = ["held", "promised", "free"];  // of each GPU's memory, over time

const number = (name, value, hint) =>
  h("div", { class: "card number-card", title: hint }, h("dt", {}, name), h("dd", {}, value));

// The pools of all workers by name: whose threads do what.
function lanesOf(workers) {
  const lanes = new Map();
  for (const pool of workers.flatMap((worker) => worker.pools)) {
    const lane = lanes.get(pool.name) ?? { threads: 0, busy: 0, lost: 0, workers: 0, open: 0 };
    lane.workers += 1;
    lane.open += pool.breaker === "open" ? 1 : 0;
    lane.threads += pool.threads;
    lane.busy += pool.busy;
    lane.lost += pool.lost;
    lanes.set(pool.name, lane);
  }
  return [...lanes].sort(([a], [b]) => a.localeCompare(b));
}

function lanes(workers) {
  const found = lanesOf(workers);
  if (!found.length) return h("p", { class: "hint" }, "No worker is live: jobs wait.");
  return h("dl", { class: "bars" }, found.map(([name, lane]) => {
    const bar = h("span", { class: "fill" });
    bar.style.setProperty("inline-size", `${(100 * lane.busy) / Math.max(1, lane.threads)}%`);
    const title = name.startsWith("engine:") ? `Engine ${plain(name.slice(7))}` : plain(name);
    return h("div", {}, h("dt", {}, title), h("dd", {}, h("span", { class: "meter live" }, bar),
      h("span", { class: "value" }, `${lane.busy} of ${lane.threads} busy${lane.lost ? `, ${lane.lost} lost` : ""}`)),
    lane.open > 0 && h("dd", { class: "note warn" }, icon("warn"),
      `${lane.open === lane.workers ? "Left alone" : `Left alone by ${lane.open} of ${lane.workers} workers`}: it failed too often`));
  }));
}

function workerRow(worker) {
  const state = worker.draining ? ["off", "Draining"] : worker.held ? ["live", "At work"] : ["good", "Free"];
  return h("tr", {},
    h("th", { scope: "row" }, `${worker.host}:${worker.pid}`, h("span", { class: "hint block" }, worker.device)),
    h("td", { "data-name": "State" }, h("span", { class: `pill ${state[0]}` }, state[1])),
    h("td", { "data-name": "Holds" }, worker.held),
    h("td", { "data-name": "Threads" }, worker.threads),
    h("td", { "data-name": "Encoders" }, worker.encoders.join(", ")),
    h("td", { "data-name": "Engines" }, worker.engines.map(plain).join(", ") || "none"),
    h("td", { "data-name": "Seen" }, ago(worker.seen_at)));
}

const workersTable = (workers) => workers.length === 0 ? h("p", { class: "hint" }, "None.") :
  h("table", {}, h("thead", {}, h("tr", {}, ["Worker", "State", "Holds", "Threads", "Encoders", "Engines", "Seen"].map((name) =>
    h("th", { scope: "col" }, name)))), h("tbody", {}, workers.map(workerRow)));

function tenantRow(tenant) {
  return h("tr", {},
    h("th", { scope: "row" }, tenant.tenant),
    h("td", { "data-name": "Queued" }, tenant.queued_jobs),
    h("td", { "data-name": "Running" }, tenant.running_jobs),
    h("td", { "data-name": "Tasks at work" }, tenant.running_tasks),
    h("td", { "data-name": "Open segments" }, tenant.open_segments),
    h("td", { "data-name": "Oldest waits" }, tenant.queued_jobs ? seconds(tenant.oldest_queued_seconds) : "–"),
    h("td", { "data-name": "Share" }, tenant.weight));
}

const tenantsTable = (tenants) => tenants.length === 0 ? h("p", { class: "hint" }, "Nothing waits and nothing runs.") :
  h("table", {}, h("thead", {}, h("tr", {}, ["Tenant", "Queued", "Running", "Tasks at work", "Open segments", "Oldest waits", "Share"]
    .map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, tenants.map(tenantRow)));

// What the card's memory is for, as parts of the whole.
function partsOf(gpu) {
  const pending = Math.max(0, gpu.promised_bytes - gpu.held_bytes);
  const models = gpu.comfyui?.resident_bytes ?? 0;
  return [["held", "Held by our tasks", gpu.held_bytes], ["promised", "Promised, not taken yet", pending],
    ["models", "Models of ComfyUI", models], ["foreign", "Of other programs", Math.max(0, gpu.foreign_bytes)],
    ["contexts", "Driver and contexts", gpu.contexts_bytes], ["headroom", "Never promised", gpu.headroom_bytes],
    ["free", "Free to promise", Math.max(0, gpu.available_bytes - gpu.headroom_bytes)]];
}

function gpuCard(gpu, history) {
  const parts = partsOf(gpu);
  const bar = h("div", { class: "stack-bar", "aria-hidden": "true" }, parts.map(([kind, , size]) => {
    const part = h("span", { class: kind });
    part.style.setProperty("flex-grow", size);
    return part;
  }));
  const sessions = gpu.encoder_sessions;
  return h("section", { class: "card gpu" },
    h("div", { class: "row between wrap" }, h("h3", {}, gpu.name ?? gpu.gpu),
      h("span", { class: `pill ${gpu.stale ? "bad" : "good"}` }, gpu.stale ? `No sample for ${seconds(gpu.age_seconds)}` : "Measured")),
    bar,
    h("dl", { class: "legend" }, parts.map(([kind, name, size]) => h("div", {}, h("dt", {}, h("i", { class: kind }), name), h("dd", {}, bytes(size))))),
    sparkline(KEPT.map((name) => [name, history.map((sample) => sample[name])]), gpu.total_bytes || 1,
      "Held, promised and free memory, lately"),
    h("p", { class: "hint" }, `${bytes(gpu.total_bytes)} in all · ${gpu.promises.length} promises · encoder sessions ` +
      `${sessions.used ?? "unknown"}${sessions.allowed === null ? "" : ` of ${sessions.allowed}`}` +
      (gpu.comfyui ? ` · ComfyUI ${gpu.comfyui.state}` : "")));
}

export function showOperator(view) {
  let timer = 0;
  let gone = false;
  const history = new Map();  // by card: bytes held, promised and free, oldest first
  const head = h("div", { class: "row between wrap" });
  const body = h("div", { class: "stack" });
  const webhooks = allDeliveries();

  async function setDraining(on) {
    if (on && !await ask("Take no new jobs? Those that were taken are finished.", "Drain")) return;
    try {
      await post(on ? "/api/v1/admin/drain" : "/api/v1/admin/resume");
      poll();
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  async function redeliver(id) {
    try {
      await post(`/api/v1/jobs/${encodeURIComponent(id)}/webhook/redeliver`);
      toast("It will be sent again.", "good");
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  const letter = (entry) => h("li", {},
    h("div", {}, h("a", { href: `#/jobs/${encodeURIComponent(entry.job_id)}` }, entry.job_id.slice(0, 8)),
      h("span", { class: "hint" }, ` ${ago(entry.at)}`), h("p", {}, entry.cause)),
    entry.event_id && h("button", { class: "plain", type: "button", onclick: () => redeliver(entry.job_id) }, icon("retry"), "Send again"));

  function show(now) {
    fill(head, h("h1", {}, "Operator"),
      h("div", { class: "row" },
        h("span", { class: `pill ${now.draining ? "bad" : "good"}` }, now.draining ? "Takes no new jobs" : "Takes jobs"),
        h("button", { class: now.draining ? "primary" : "plain", type: "button", onclick: () => setDraining(!now.draining) },
          now.draining ? "Resume" : "Drain")));
    fill(body,
      h("dl", { class: "numbers" },
        number("Queued jobs", now.queued_jobs), number("Open segments", now.open_segments),
        number("Work ahead", seconds(now.seconds_of_work), "Seconds of one thread"),
        number("Oldest waits", now.queued_jobs ? seconds(now.oldest_queued_seconds) : "–"),
        number("Threads", now.threads), number("Dead letters", now.dead_letters)),
      h("section", { class: "card" }, h("h2", {}, "Queue by tenant"), tenantsTable(now.tenants)),
      h("section", { class: "card" }, h("h2", {}, "Lanes"), lanes(now.workers)),
      h("section", { class: "card" }, h("h2", {}, "Workers"), workersTable(now.workers)),
      h("section", {}, h("h2", {}, "GPUs"), now.gpus.length
        ? h("div", { class: "gpus" }, now.gpus.map((gpu) => gpuCard(gpu, history.get(gpu.gpu))))
        : h("p", { class: "hint" }, "No GPU was ever measured here: frames are composed on processors.")),
      now.dead_letters_latest.length > 0 && h("section", { class: "card" }, h("h2", {}, "Dead letters"),
        h("ul", { class: "letters" }, now.dead_letters_latest.map(letter))));
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const now = await get("/api/v1/admin/capacity");
      if (gone) return;
      for (const gpu of now.gpus) {
        const sample = { held: gpu.held_bytes, promised: gpu.promised_bytes, free: gpu.free_bytes };
        history.set(gpu.gpu, [...(history.get(gpu.gpu) ?? []), sample].slice(-SAMPLES));
      }
      const focused = document.activeElement?.textContent;
      show(now);
      if (focused && document.activeElement === document.body) {
        [...view.querySelectorAll("button, a")].find((one) => one.textContent === focused)?.focus();
      }
    } catch (problem) {
      if (gone) return;
      if (!body.hasChildNodes()) fill(body, h("p", { class: "fault" }, problem.message));
    }
    if (!gone) timer = setTimeout(poll, POLL_MS);
  }

  fill(view, head, body, webhooks.element);
  poll();
  return () => {
    gone = true;
    webhooks.stop();
    clearTimeout(timer);
  };
}
