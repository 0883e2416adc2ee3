// One job as it goes: its state and progress live, then the video itself.

import { follow, post } from "./api.js";
import { fill, h, icon, showText, toast } from "./dom.js";
import { isEnded, seconds, stateName, stateTone } from "./words.js";

export const fileOf = (id, file) => `/api/v1/jobs/${encodeURIComponent(id)}/${file}`;

export const pill = (status) => h("span", { class: `pill ${stateTone(status)}` }, stateName(status));

export function progress(job) {
  const bar = h("span", { class: "fill" });
  bar.style.setProperty("inline-size", `${job.progress_pct}%`);
  return h("div", { class: `meter ${stateTone(job.status)}`, role: "progressbar", "aria-valuemin": 0,
    "aria-valuemax": 100, "aria-valuenow": job.progress_pct, "aria-label": "Progress" }, bar);
}

export function player(id) {
  return h("video", { class: "player", controls: true, playsinline: true, preload: "metadata",
    src: fileOf(id, "output"), poster: fileOf(id, "thumbnail") });
}

export async function shareLink(id) {
  const links = await post(fileOf(id, "links"), { json: { expires_in_seconds: 7 * 86400 } });
  const link = new URL(links.output, location.href).href;
  if (!navigator.clipboard) return showText("A link that works without a key for seven days", link);  // not over plain HTTP
  await navigator.clipboard.writeText(link);
  return toast("A link that works without a key for seven days is in your clipboard.", "good");
}

export function outputActions(id) {
  return h("div", { class: "row wrap" },
    h("a", { class: "button", href: fileOf(id, "output"), download: `pytoon-${id.slice(0, 8)}.mp4` }, icon("download"), "Download"),
    h("button", { class: "plain", type: "button", onclick: () =>
      shareLink(id).catch((problem) => toast(problem.message, "bad")) }, icon("link"), "Copy a link"));
}

// What there is to say while it goes, in one line.
export function saying(job) {
  if (job.error) return job.error;
  if (job.status === "QUEUED" && job.queue_position > 0) {
    return job.waiting_for ?? (job.queue_position === 1 ? "Next in the queue" : `Place ${job.queue_position} in the queue`);
  }
  if (job.waiting_for) return job.waiting_for;
  if (!isEnded(job.status) && job.eta_seconds) return `About ${seconds(job.eta_seconds)} to go`;
  return job.fallback_reason ?? "";
}

// Gives what ends it.
export function jobCard(place, id) {
  const show = (job) => {
    fill(place,
      h("div", { class: "row between" }, pill(job.status),
        h("a", { href: `#/jobs/${encodeURIComponent(id)}` }, "Its story")),
      job.status === "DONE"
        ? [player(id), outputActions(id)]
        : [progress(job), h("p", { class: job.error ? "fault" : "hint", "aria-live": "polite" },
          `${job.progress_pct} %`, saying(job) && ` · ${saying(job)}`)]);
  };
  return follow(id, show, () => fill(place, h("p", { class: "fault" }, "The job is gone.")));
}
