// From files to a video: choose, write, look, ask what it would take, submit, watch, play.

import { get, post } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { captions } from "./captions.js";
import { footage } from "./footage.js";
import { gallery } from "./gallery.js";
import { platformName, stage } from "./stage.js";
import { jobCard } from "./job_card.js";
import { money, plain, seconds } from "./words.js";

const PAUSE_MS = 500;
const FIRST = "product_hero_clean";

const step = (number, title, ...children) =>
  h("section", { class: "card step", "aria-labelledby": `step-${number}` },
    h("h2", { id: `step-${number}` }, h("span", { class: "number", "aria-hidden": "true" }, number), title),
    ...children);

export function showMake(view, { id }) {
  let timer = 0;
  let asking = null;
  let sent = "";  // the request of the last answer
  // Chosen here, so that the preview moves as the video will.
  let seed = crypto.getRandomValues(new Uint32Array(1))[0];
  let leaveJob = () => {};
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE_MS);
  };

  const length = h("input", { id: "length", type: "range", min: 1, max: 60, value: 15, oninput: () => {
    lengthText.textContent = `${length.value} s`;
    words.refresh();
    later();
  } });
  const lengthText = h("output", { for: "length" }, "15 s");
  let platforms = [];
  const platform = h("select", { id: "platform", onchange: () => {
    showZone();
    later();
  } });
  const showZone = () => look.zone(platforms.find((one) => one.id === platform.value));
  const brandSafe = h("input", { id: "brand-safe", type: "checkbox", onchange: later });
  const files = footage(later);
  const words = captions(() => Number(length.value), later);
  const presets = gallery(() => {
    brandSafe.checked = presets.chosen().brand_safe;
    later();
  });
  const look = stage();
  const figures = h("div", { class: "figures", "aria-live": "polite" });
  const faults = h("ul", { class: "faults", role: "alert" });
  const submit = h("button", { class: "primary wide", type: "button", disabled: true, onclick: make },
    icon("play"), "Make the video");
  const result = h("div", { class: "result" });

  function request() {
    const fields = { ...presets.fields(), ...files.fields(), ...words.fields(),
      target_duration_seconds: Number(length.value), platform: platform.value, brand_safe: brandSafe.checked, seed };
    if (!fields.image_uris.length) delete fields.image_uris;
    if (!fields.clip_uris.length) delete fields.clip_uris;
    return fields;
  }

  function showFaults(found, fallback) {
    const rest = words.blame(found);
    const texts = rest.map(({ pointer, detail }) => (pointer ? `${plain(pointer.slice(1))}: ${detail}` : detail));
    if (!found.length && fallback) texts.push(fallback);
    fill(faults, texts.map((text) => h("li", {}, text)));
  }

  // What would become of it: the figures, or what is in its way.
  async function refresh() {
    asking?.abort();
    if (!presets.chosen()) return;
    submit.disabled = true;
    if (files.busy()) {
      fill(figures, h("p", { class: "hint" }, "Waiting for the uploads…"));
      return;
    }
    asking = new AbortController();
    const json = request();
    try {
      const answer = await post("/api/v1/jobs?dry_run=true", { json, signal: asking.signal });
      sent = JSON.stringify(json);
      submit.disabled = false;
      showFaults([], "");
      words.refresh();
      showFigures(answer);
      if (json.image_uris || json.clip_uris || json.captions) look.preview(json);
      else look.example(presets.chosen());
    } catch (problem) {
      if (problem.name === "AbortError") return;
      figures.replaceChildren();
      showFaults(problem.faults ?? [], problem.message);
    }
  }

  function showFigures(answer) {
    const engines = [...new Set(answer.plan.map((part) => part.engine))];
    const cell = (name, value, title) => h("div", { title }, h("dt", {}, name), h("dd", {}, value));
    fill(figures, h("dl", {},
      cell("Wait", seconds(answer.wait.seconds), answer.wait.basis),
      cell("Making", seconds(answer.run.seconds), answer.run.basis),
      cell("Segments", answer.segments),
      cell("Cost", money(answer.money.micro_usd), answer.money.basis),
      cell("Footage by", engines.map(plain).join(", "))),
    answer.warnings.map((warning) => h("p", { class: "note warn" }, icon("warn"), warning.detail)));
  }

  async function make() {
    const json = request();
    submit.disabled = true;
    try {
      const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()).slice(2) };
      const { job_id } = await post("/api/v1/jobs", { json, headers });
      leaveJob();
      leaveJob = jobCard(result, job_id);
      result.scrollIntoView({ behavior: "smooth", block: "nearest" });
      toast("Taken. It is being made now.", "good");
    } catch (problem) {
      showFaults(problem.faults ?? [], problem.message);
    }
    submit.disabled = JSON.stringify(request()) !== sent;
  }

  fill(view,
    h("h1", {}, "Make a video"),
    h("div", { class: "make" },
      h("div", { class: "steps" },
        step(1, "Footage and sound", files.element),
        step(2, "Preset", presets.element),
        step(3, "Words", words.element),
        step(4, "Format",
          h("div", { class: "format" },
            h("div", { class: "field" }, h("label", { for: "length" }, "Length ", lengthText), length),
            h("div", { class: "field" }, h("label", { for: "platform" }, "Platform"), platform),
            h("label", { class: "check" }, brandSafe, "Brand-safe: the product is never redrawn or covered")))),
      h("aside", { class: "side", "aria-label": "Preview and submission" },
        h("div", { class: "card" }, result, look.element, figures, faults, submit))));

  async function begin() {
    const [{ presets: list }, zones] = await Promise.all([get("/api/v1/presets"), get("/api/v1/platforms")]);
    platforms = zones.platforms;
    fill(platform, platforms.map(({ id: name }) => h("option", { value: name }, platformName(name))));
    platform.value = "universal";
    showZone();
    const spec = id ? await get(`/api/v1/jobs/${encodeURIComponent(id)}/spec`) : null;
    presets.show(list, spec?.preset_id ?? FIRST);
    const preset = presets.chosen();
    brandSafe.checked = spec?.brand_safe ?? preset?.brand_safe ?? true;
    if (preset) look.example(preset);
    if (spec) {
      seed = spec.seed;
      length.value = spec.target_duration_seconds;
      lengthText.textContent = `${length.value} s`;
      files.start(spec.assets);
      words.start(spec.captions_plan);
    }
    refresh();
  }
  begin().catch((problem) => toast(problem.message, "bad"));

  return () => {
    clearTimeout(timer);
    asking?.abort();
    files.stop();
    look.stop();
    leaveJob();
  };
}
