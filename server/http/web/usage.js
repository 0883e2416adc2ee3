// What the tenant of this key may take and has taken: GET /api/v1/usage, looked at every five
// seconds.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { bytes } from "./words.js";

const POLL_MS = 5000;

function meter(name, used, limit, show = String) {
  const share = limit > 0 ? Math.min(1, used / limit) : 0;
  const bar = h("span", { class: `fill${share >= 0.9 ? " near" : ""}` });
  bar.style.setProperty("inline-size", `${100 * share}%`);
  return h("div", {}, h("dt", {}, name),
    h("dd", {}, h("span", { class: "meter" }, bar), h("span", { class: "value" }, `${show(used)} of ${show(limit)}`)));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

export function showUsage(view) {
  let timer = 0;
  let gone = false;
  const body = h("div", { class: "stack" });

  function show({ tenant, plan, limits, used }) {
    fill(body,
      h("p", { class: "hint" }, "Tenant ", h("strong", {}, tenant), ", plan ", h("strong", {}, plan)),
      h("section", { class: "card" }, h("h2", {}, "In use"), h("dl", { class: "bars" },
        meter("Queued jobs", used.queued_jobs, limits.queued_jobs),
        meter("Storage of uploads", used.storage_bytes, limits.storage_bytes, bytes))),
      h("section", { class: "card" }, h("h2", {}, "Now"), h("dl", { class: "facts" },
        fact("Tasks at work", used.running_tasks), fact("Uploads kept", used.stored_uploads))),
      h("section", { class: "card" }, h("h2", {}, "Limits"), h("dl", { class: "facts" },
        fact("Requests a second", limits.requests_per_second), fact("Uploads at once", limits.uploads_at_once),
        fact("Connections", limits.connections), fact("Share of the work", limits.weight))));
  }

  async function poll() {
    try {
      const usage = await get("/api/v1/usage");
      if (!gone) show(usage);
    } catch (problem) {
      if (!gone && !body.hasChildNodes()) fill(body, h("p", { class: "fault" }, problem.message));
    }
    if (!gone) timer = setTimeout(poll, POLL_MS);
  }

  fill(view, h("h1", {}, "Usage"), body);
  poll();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}
