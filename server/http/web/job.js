// The story of one job: what was asked, what became of it, piece by piece, and what can be done
// about it.

import { assetPath, call, follow, get } from "./api.js";
import { jobDeliveries } from "./deliveries.js";
import { ask, fill, h, icon, toast } from "./dom.js";
import { fileOf, outputActions, pill, player, progress, saying } from "./job_card.js";
import { timeline } from "./story.js";
import { isEnded, moment, plain, seconds, stateName, stateTone } from "./words.js";

const fact = (name, value) => value === null || value === undefined || value === "" ? null
  : h("div", {}, h("dt", {}, name), h("dd", {}, value));

// Its pieces side by side, as wide as they are long.
function pieces(segments) {
  return h("ol", { class: "pieces", "aria-label": "Segments" }, segments.map((segment) => {
    const says = `Segment ${segment.index + 1}, ${segment.duration_seconds} s: ${stateName(segment.status)}` +
      (segment.engine_used ? `, footage by ${plain(segment.engine_used)}` : "");
    const piece = h("li", { class: stateTone(segment.status), title: says },
      h("span", { class: "unseen" }, says), h("span", { "aria-hidden": "true" }, segment.index + 1));
    piece.style.setProperty("flex-grow", segment.duration_seconds);
    return piece;
  }));
}

// The files that it is made of, as far as a browser can show them.
function thumbnails(assets) {
  const one = (uri, kind) => {
    const shown = kind === "image" ? h("img", { src: assetPath(uri), alt: "", loading: "lazy" })
      : h("video", { src: assetPath(uri), muted: true, preload: "metadata" });
    shown.addEventListener("error", () => shown.replaceWith(h("span", { class: "no-image" }, icon("play"))));
    return h("li", {}, shown);
  };
  const files = [...assets.images.map((uri) => one(uri, "image")), ...assets.clips.map((uri) => one(uri, "clip"))];
  return files.length > 0 && h("ul", { class: "thumbs", "aria-label": "Its files" }, files);
}

function wordsOf(spec) {
  const plan = spec.captions_plan;
  if (!plan.timings.length) return h("p", { class: "hint" }, "No words on it.");
  return h("ol", { class: "timed" }, plan.timings.map((timing) =>
    h("li", {}, h("span", { class: "hint" }, `${timing.start.toFixed(1)} – ${timing.end.toFixed(1)} s`), h("span", {}, timing.text))));
}

export function showJob(view, { id, rights }) {
  let job = null;
  let spec = null;
  let segments = [];
  let metadata = null;
  let timer = 0;
  let gone = false;
  const head = h("div", { class: "job-head" });
  const film = h("div", { class: "card film" });
  const story = h("div", { class: "stack" });
  const webhook = jobDeliveries(id, rights.submit);

  async function act(name, method, path, json) {
    try {
      await call(method, path, { json });
      toast(name, "good");
      restart();
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  async function erase() {
    if (!await ask("Delete this job and its files for ever?", "Delete")) return;
    try {
      await call("DELETE", fileOf(id, "").replace(/\/$/, ""));
      toast("Deleted.", "good");
      location.hash = "#/jobs";
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  function actions() {
    const button = (text, name, onclick, kind = "plain") =>
      h("button", { class: kind, type: "button", onclick }, icon(name), text);
    const list = [];
    if (rights.submit && !isEnded(job.status)) {
      list.push(button("Cancel", "stop", () => act("Cancelled.", "POST", fileOf(id, "cancel"))));
    }
    if (rights.submit && ["FAILED", "CANCELLED"].includes(job.status)) {
      list.push(button("Try again", "retry", () => act("It is made again.", "POST", fileOf(id, "retry"))));
    }
    if (rights.submit) list.push(h("a", { class: "button plain", href: `#/make/${encodeURIComponent(id)}` }, icon("copy"), "Start a new one from it"));
    if (rights.admin && !isEnded(job.status)) {
      list.push(button("Force-fail", "warn", async () => {
        if (await ask("Fail this job now?", "Fail it")) act("Failed.", "POST", `/api/v1/admin/jobs/${encodeURIComponent(id)}/fail`);
      }));
    }
    if (rights.submit && isEnded(job.status)) list.push(button("Delete", "bin", erase, "danger"));
    return list;
  }

  function showHead() {
    const title = spec?.captions_plan.hook || plain(job.preset_id);
    fill(head,
      h("a", { class: "back", href: "#/jobs" }, icon("left"), "All jobs"),
      h("div", { class: "row between wrap" }, h("h1", {}, title), pill(job.status)),
      h("p", { class: "hint id" }, id),
      h("div", { class: "row wrap" }, actions()));
  }

  let filmOf = "";
  function showFilm() {
    const now = `${job.status} ${job.run}`;
    if (job.status === "DONE" && now === filmOf) return;  // it may be playing
    filmOf = now;
    if (job.status === "DONE") {
      return fill(film, job.output_uri
        ? [player(id), outputActions(id)]
        : h("p", { class: "hint" }, "Its files were removed: their time was over."));
    }
    fill(film, h("div", { class: "no-film" }, h("span", { class: isEnded(job.status) ? "" : "breathing" }, icon("play")),
      !isEnded(job.status) && progress(job), h("p", { class: "hint", "aria-live": "polite" }, `${job.progress_pct} %`)));
  }

  function showStory() {
    const troubles = segments.filter((segment) => segment.error);
    const declined = segments.filter((segment) => segment.engines_declined);
    const engines = [...new Set(segments.map((segment) => segment.engine_used).filter(Boolean))];
    fill(story,
      h("section", { class: "card" }, h("h2", {}, "What became of it"),
        saying(job) && h("p", { class: job.error ? "fault" : "" }, saying(job)),
        pieces(segments),
        h("dl", { class: "facts" },
          fact("Submitted", moment(job.created_at)),
          fact("Last change", moment(job.updated_at)),
          fact("Run", job.run > 1 ? job.run : null),
          fact("Begun again", job.attempts || null),
          fact("Footage by", engines.map(plain).join(", ")),
          fact("Fallback", job.fallback_reason),
          fact("Other encoder", job.degraded)),
        troubles.length > 0 && h("ul", { class: "faults" }, troubles.map((segment) =>
          h("li", {}, `Segment ${segment.index + 1}: ${segment.error}`)))),
      timeline(job, segments),
      declined.length > 0 && h("section", { class: "card" }, h("h2", {}, "Engines that declined"),
        h("ul", { class: "timed" }, declined.map((segment) => h("li", {}, h("span", { class: "hint" }, `Segment ${segment.index + 1}`),
          h("span", {}, segment.engines_declined, segment.engine_used && h("span", { class: "hint" }, ` Then: ${plain(segment.engine_used)}.`)))))),
      spec && h("section", { class: "card" }, h("h2", {}, "Words"), wordsOf(spec)),
      spec && h("section", { class: "card" }, h("h2", {}, "What was asked"),
        thumbnails(spec.assets),
        h("dl", { class: "facts" },
          fact("Preset", plain(job.preset_id)), fact("Archetype", plain(job.archetype)),
          fact("Length", seconds(job.target_duration_seconds)),
          fact("Images", spec.assets.images.length), fact("Clips", spec.assets.clips.length || null),
          fact("Music", spec.assets.music && "yes"), fact("Voice", spec.assets.voice && "yes"),
          fact("Brand-safe", spec.brand_safe ? "yes" : "no"), fact("Seed", spec.seed)),
        h("details", {}, h("summary", {}, "The whole RenderSpec"), h("pre", { tabindex: 0 }, JSON.stringify(spec, null, 2))),
        metadata && h("details", {}, h("summary", {}, "metadata.json"), h("pre", { tabindex: 0 }, JSON.stringify(metadata, null, 2)))));
  }

  // What the events do not tell.
  async function learn() {
    const found = await get(fileOf(id, "segments")).catch(() => null);
    if (gone || !found) return;
    segments = found.segments;
    if (job.status === "DONE" && job.metadata_uri && !metadata) metadata = await get(fileOf(id, "metadata")).catch(() => null);
    if (!gone) showStory();
    if (isEnded(job.status)) webhook.refresh();
  }

  function show(now) {
    const statusBefore = job?.status;
    job = now;
    if (statusBefore !== job.status) showHead();
    showFilm();
    clearTimeout(timer);
    timer = setTimeout(learn, isEnded(job.status) || !segments.length ? 0 : 600);
  }

  let stop = () => {};
  function restart() {
    stop();
    metadata = null;
    stop = follow(id, show, () => fill(view, h("p", { class: "fault" }, "This job is gone.")));
  }

  fill(view, head, h("div", { class: "job-page" }, film, h("div", { class: "stack" }, story, webhook.element)));
  get(fileOf(id, "spec")).then((found) => {
    spec = found;
    if (gone) return;
    restart();
  }, (problem) => fill(view, h("a", { class: "back", href: "#/jobs" }, icon("left"), "All jobs"), h("p", { class: "fault" }, problem.message)));
  return () => {
    gone = true;
    clearTimeout(timer);
    stop();
  };
}
