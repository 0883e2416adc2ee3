// Where a job's time went: what it waited for, what was drawn when, on one line of time.

import { h } from "./dom.js";
import { isEnded, plain, seconds, stateTone } from "./words.js";

const at = (iso) => (iso ? Date.parse(iso) / 1000 : null);

// Parts of the job with their begin and end in seconds since 1970, in their order.
export function partsOf(job, segments, now) {
  const created = at(job.created_at);
  const started = at(job.started_at);
  // A retry waits from when it was queued again, which is not told: from the change before its start.
  const end = at(job.completed_at) ?? now;
  if (!started) return [{ name: "Waiting for a worker", from: created, to: end, tone: "wait" }];
  const rendered = at(job.rendered_at) >= started ? at(job.rendered_at) : null;
  const drawn = segments.filter((segment) => segment.finished_at && at(segment.finished_at) >= started);
  const begins = drawn.map((segment) => at(segment.finished_at) - segment.render_seconds);
  const first = begins.length ? Math.max(started, Math.min(...begins)) : rendered ?? end;
  const engines = new Set(drawn.map((segment) => segment.engine_used));
  const parts = [];
  if (job.run === 1) parts.push({ name: "Waited for a worker", from: created, to: started, tone: "wait" });
  parts.push({ name: "Made ready, footage", from: started, to: first, tone: "live" });
  for (const segment of drawn) {
    const to = at(segment.finished_at);
    parts.push({ name: `Segment ${segment.index + 1}`, from: Math.max(started, to - segment.render_seconds), to,
      tone: stateTone(segment.status), note: engines.size > 1 && segment.engine_used ? `footage by ${plain(segment.engine_used)}` : "" });
  }
  if (rendered) parts.push({ name: "Put together", from: rendered, to: end, tone: isEnded(job.status) ? "good" : "live" });
  return parts;
}

// In one sentence; segments are drawn beside each other, so that they count as one span.
function verdict(parts, whole) {
  const spans = [];
  const drawing = parts.filter((part) => part.name.startsWith("Segment"));
  for (const part of parts) {
    if (!drawing.includes(part)) spans.push([part.name.toLowerCase(), part.to - part.from]);
  }
  if (drawing.length) {
    spans.push(["drawing its segments", Math.max(...drawing.map((part) => part.to)) - Math.min(...drawing.map((part) => part.from))]);
  }
  const [name, length] = spans.reduce((most, span) => (span[1] > most[1] ? span : most));
  return `${seconds(whole)} in all, most of it: ${name} (${seconds(length)}).`;
}

export function timeline(job, segments, now = Date.now() / 1000) {
  const parts = partsOf(job, segments, now);
  const from = Math.min(...parts.map((part) => part.from));
  const whole = Math.max(0.001, Math.max(...parts.map((part) => part.to)) - from);
  const share = (value) => `${((100 * value) / whole).toFixed(2)}%`;
  return h("section", { class: "card" },
    h("h2", {}, isEnded(job.status) ? "Why it took so long" : "Where its time goes"),
    h("p", { class: "hint" }, verdict(parts, whole)),
    h("ol", { class: "timeline", "aria-label": "Timeline" }, parts.map((part) => {
      const bar = h("span", { class: `span ${part.tone}` });
      bar.style.setProperty("margin-inline-start", share(part.from - from));
      bar.style.setProperty("inline-size", share(part.to - part.from));
      return h("li", {}, h("span", { class: "what" }, part.name, part.note && h("span", { class: "hint" }, ` ${part.note}`)),
        h("span", { class: "track", "aria-hidden": "true" }, bar),
        h("span", { class: "value" }, seconds(part.to - part.from)));
    })));
}
