// What became of webhooks: those of one job in its story, all of them where operators look.

import { get, post } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { ago, until } from "./words.js";

const STATES = { pending: ["wait", "Waiting"], sending: ["live", "Sending"], delivered: ["good", "Delivered"],
  given_up: ["bad", "Given up"] };
const FILTERS = [["", "All"], ["pending", "Waiting"], ["delivered", "Delivered"], ["given_up", "Given up"]];
const SHOWN = 20;
const POLL_MS = 3000;

async function again(delivery, after) {
  try {
    await post(`/api/v1/jobs/${encodeURIComponent(delivery.job_id)}/webhook/redeliver`);
    toast("It will be sent again.", "good");
    after();
  } catch (problem) {
    toast(problem.message, "bad");
  }
}

function times(delivery) {
  const parts = [`${delivery.attempts} ${delivery.attempts === 1 ? "attempt" : "attempts"}`];
  if (delivery.tried_at) parts.push(`last ${ago(delivery.tried_at)}`);
  if (delivery.next_try_at) parts.push(`next ${until(delivery.next_try_at)}`);
  return parts.join(" · ");
}

function row(delivery, { named, maySend, after }) {
  const [tone, name] = STATES[delivery.state] ?? ["", delivery.state];
  return h("li", {},
    h("div", {},
      h("div", { class: "row wrap" }, h("span", { class: `pill ${tone}` }, name), h("strong", {}, delivery.receiver)),
      h("p", { class: "hint" },
        named && [h("a", { href: `#/jobs/${encodeURIComponent(delivery.job_id)}` }, delivery.job_id.slice(0, 8)), ` of ${delivery.tenant} · `],
        `${delivery.type} · ${times(delivery)}`),
      delivery.last_error && h("p", { class: delivery.state === "given_up" ? "fault" : "hint" }, delivery.last_error)),
    maySend && delivery.state !== "sending" && h("button", { class: "plain", type: "button",
      "data-focus": `send ${delivery.event_id}`, onclick: () => again(delivery, after) },
    icon("retry"), delivery.state === "pending" ? "Send now" : "Send again"));
}

// Keeps the button that is focused focused.
function redraw(list, rows) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.focus : "";
  fill(list, rows);
  if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

// Of one job; hidden while there is nothing to tell.
export function jobDeliveries(id, maySend) {
  const list = h("ul", { class: "letters" });
  const element = h("section", { class: "card", hidden: true }, h("h2", {}, "Webhook"), list);
  async function refresh() {
    const found = await get(`/api/v1/jobs/${encodeURIComponent(id)}/webhook`).catch(() => null);
    if (!found) return;
    element.hidden = found.deliveries.length === 0;
    redraw(list, found.deliveries.map((delivery) => row(delivery, { maySend, after: refresh })));
  }
  return { element, refresh };
}

// Of all jobs, newest first, looked at again every three seconds until it is stopped.
export function allDeliveries() {
  let state = "";
  let timer = 0;
  let gone = false;
  const list = h("ul", { class: "letters" });
  const chips = FILTERS.map(([value, text]) => h("label", { class: "chip" },
    h("input", { type: "radio", name: "delivery-state", class: "unseen", value, checked: value === "", onchange: () => {
      state = value;
      refresh();
    } }), h("span", {}, text)));
  const element = h("section", { class: "card", "aria-label": "Webhooks" },
    h("div", { class: "row between wrap" }, h("h2", {}, "Webhooks"),
      h("div", { class: "chips", role: "radiogroup", "aria-label": "State of webhooks" }, chips)),
    list);

  async function refresh() {
    clearTimeout(timer);
    const asked = state;
    try {
      const { deliveries } = await get(`/api/v1/admin/webhooks?limit=${SHOWN}${asked && `&state=${asked}`}`);
      if (gone || asked !== state) return;
      redraw(list, deliveries.length
        ? deliveries.map((delivery) => row(delivery, { named: true, maySend: true, after: refresh }))
        : h("li", { class: "hint" }, asked ? "None." : "No job with a webhook has ended yet."));
    } catch (problem) {
      if (!gone && !list.hasChildNodes()) fill(list, h("li", { class: "fault" }, problem.message));
    }
    if (!gone) timer = setTimeout(refresh, POLL_MS);
  }
  refresh();
  return { element, stop: () => {
    gone = true;
    clearTimeout(timer);
  } };
}
