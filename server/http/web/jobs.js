// All jobs, newest first: live, filtered by state, searched by words, id or preset.

import { get } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { fileOf, pill, progress, saying } from "./job_card.js";
import { ago, isEnded, plain, seconds } from "./words.js";

const POLL_MS = 2500;
const PAGE = 30;
const FILTERS = [["", "All"], ["QUEUED", "Queued"], ["RENDERING_SEGMENTS", "Rendering"], ["DONE", "Done"],
  ["FAILED", "Failed"], ["CANCELLED", "Cancelled"]];

// What a job says, by id: fixed at its submission, so asked for once.
const hooks = new Map();

export function showJobs(view, { rights }) {
  let status = "";
  let search = "";
  let jobs = [];
  let cursor = null;
  let timer = 0;
  let gone = false;
  const list = h("ul", { class: "jobs" });
  const more = h("button", { class: "plain", type: "button", hidden: true, onclick: loadMore }, "Show older ones");
  const empty = h("div", { class: "empty" });

  const query = (after) =>
    `/api/v1/jobs?limit=${PAGE}${status && `&status=${status}`}${after ? `&cursor=${encodeURIComponent(after)}` : ""}`;

  function matches(job) {
    const text = `${job.job_id} ${plain(job.preset_id)} ${hooks.get(job.job_id) ?? ""}`.toLowerCase();
    return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function thumbnail(job) {
    if (job.thumbnail_uri) return h("img", { src: fileOf(job.job_id, "thumbnail"), alt: "", loading: "lazy" });
    return h("span", { class: `no-image ${isEnded(job.status) ? "" : "breathing"}` }, icon("play"));
  }

  const row = (job) => h("li", {},
    h("a", { class: "job", href: `#/jobs/${encodeURIComponent(job.job_id)}` },
      h("span", { class: "job-image" }, thumbnail(job)),
      h("span", { class: "job-words" },
        h("strong", {}, hooks.get(job.job_id) || plain(job.preset_id)),
        h("span", { class: "hint" }, `${plain(job.preset_id)} · ${seconds(job.target_duration_seconds)} · ${ago(job.created_at)}`),
        !isEnded(job.status) && progress(job),
        saying(job) && h("span", { class: job.error ? "fault" : "hint" }, saying(job))),
      pill(job.status)));

  let drawn = "";
  function show() {
    const found = jobs.filter(matches);
    const now = JSON.stringify([found.map((job) => [job.job_id, job.updated_at, job.progress_pct, job.waiting_for,
      hooks.get(job.job_id), Math.floor((Date.now() - Date.parse(job.created_at)) / 60000)])]);
    if (now !== drawn) {
      const focused = document.activeElement?.closest?.(".job")?.getAttribute("href");
      fill(list, found.map(row));
      if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
      drawn = now;
    }
    more.hidden = !cursor;
    empty.hidden = found.length > 0;
    fill(empty, found.length ? null : [
      h("p", {}, jobs.length ? "No job here fits the search." : "No jobs yet."),
      !jobs.length && !status && rights.submit && h("a", { class: "button", href: "#/make" }, icon("make"), "Make the first one")]);
  }

  async function learnHooks() {
    for (const { job_id } of jobs.filter((job) => !hooks.has(job.job_id)).slice(0, PAGE)) {
      const spec = await get(`/api/v1/jobs/${encodeURIComponent(job_id)}/spec`).catch(() => null);
      if (gone) return;
      hooks.set(job_id, spec?.captions_plan.hook || spec?.captions_plan.beats?.[0] || "");
    }
    show();
  }

  async function poll() {
    const asked = status;
    try {
      const page = await get(query(""));
      if (gone || asked !== status) return;
      const fresh = new Set(page.jobs.map((job) => job.job_id));
      const older = jobs.length > PAGE ? jobs.slice(PAGE).filter((job) => !fresh.has(job.job_id)) : [];
      if (!older.length) cursor = page.next_cursor;
      jobs = [...page.jobs, ...older];
      show();
      learnHooks();
    } catch (problem) {
      if (!gone) fill(empty, h("p", { class: "fault" }, problem.message));
    }
    clearTimeout(timer);
    if (!gone) timer = setTimeout(() => (document.hidden ? poll.later() : poll()), POLL_MS);
  }
  poll.later = () => {
    timer = setTimeout(() => (document.hidden ? poll.later() : poll()), POLL_MS);
  };

  async function loadMore() {
    try {
      const page = await get(query(cursor));
      jobs = [...jobs, ...page.jobs];
      cursor = page.next_cursor;
      show();
      learnHooks();
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  const chips = FILTERS.map(([value, text]) => h("label", { class: "chip" },
    h("input", { type: "radio", name: "status", class: "unseen", value, checked: value === "", onchange: () => {
      status = value;
      jobs = [];
      cursor = null;
      drawn = "";
      clearTimeout(timer);
      poll();
    } }), h("span", {}, text)));
  fill(view,
    h("h1", {}, "Jobs"),
    h("div", { class: "tools" },
      h("div", { class: "chips", role: "radiogroup", "aria-label": "State" }, chips),
      h("label", { class: "search" }, icon("search"),
        h("input", { type: "search", placeholder: "Search", "aria-label": "Search in words, preset and id",
          oninput: (event) => {
            search = event.target.value.trim();
            show();
          } }))),
    list, empty, more);
  poll();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}
