// The video to be, upright as on a phone: the frames that the renderer draws for the request as it
// stands, at the moment that was chosen, with what the platform's own interface covers drawn over
// them. An example of the preset stands in until there is something to show.

import { previewFrame } from "./api.js";
import { fill, h, icon } from "./dom.js";

const IMAGES = new URL("./presets/", import.meta.url);

const FRAME = { width: 1080, height: 1920 };
const NAMES = {
  universal: "Everywhere",
  reels: "Instagram Reels",
  tiktok: "TikTok",
  shorts: "YouTube Shorts",
};

export const platformName = (id) => NAMES[id] ?? id;

const percent = (part, whole) => `${((100 * part) / whole).toFixed(2)}%`;

const STEP_SECONDS = 0.5;
const PLAY_STEP_MS = 250;

export function stage() {
  let request = null;  // what is shown, once it is more than an example
  let asking = null;
  let playing = 0;
  let shown = "";
  const still = h("div", { class: "stage-image" });
  const free = h("div", { class: "zone-free" });
  const label = h("span", { class: "zone-name" });
  const zone = h("div", { class: "zone", "aria-hidden": "true" }, free, label);
  const toggle = h("input", { type: "checkbox", checked: true, onchange: () => {
    zone.hidden = !toggle.checked;
  } });
  const time = h("input", { type: "range", min: 0, max: 15, step: STEP_SECONDS, value: 1, "aria-label": "Moment of the preview",
    oninput: () => {
      pause();
      draw();
    } });
  const clock = h("output", {}, "");
  const play = h("button", { type: "button", class: "icon-button", onclick: () => (playing ? pause() : begin()) });
  const note = h("p", { class: "hint", "aria-live": "polite" });
  const controls = h("div", { class: "row stage-time", hidden: true }, play, time, clock);
  const element = h("div", { class: "stage" },
    h("div", { class: "phone" }, still, zone), controls, note,
    h("label", { class: "check" }, toggle, "Show what the platform covers"));

  function showPlay() {
    play.setAttribute("aria-label", playing ? "Pause the preview" : "Play the preview");
    fill(play, icon(playing ? "stop" : "play"));
  }

  function pause() {
    clearTimeout(playing);
    playing = 0;
    showPlay();
  }

  function begin() {
    if (Number(time.value) >= Number(time.max)) time.value = 0;
    playing = setTimeout(advance, 0);
    showPlay();
  }

  // As fast as frames come, and no faster than their time.
  async function advance() {
    const started = performance.now();
    const drawn = await draw();
    if (!playing) return;
    if (!drawn || Number(time.value) >= Number(time.max)) return pause();
    time.value = Number(time.value) + STEP_SECONDS;
    playing = setTimeout(advance, Math.max(0, PLAY_STEP_MS - (performance.now() - started)));
  }

  async function draw() {
    asking?.abort();
    if (!request) return false;
    const mine = new AbortController();
    asking = mine;
    clock.textContent = `${Number(time.value).toFixed(1)} s`;
    still.classList.add("working");
    try {
      const blob = await previewFrame(request, time.value, mine.signal);
      const before = shown;
      shown = URL.createObjectURL(blob);
      const image = h("img", { src: shown, alt: `The video at ${time.value} seconds` });
      await image.decode();
      if (asking === mine) {
        fill(still, image);
        note.textContent = "";
      }
      if (before) URL.revokeObjectURL(before);
      return true;
    } catch (problem) {
      if (problem.name !== "AbortError" && asking === mine) note.textContent = problem.message;
      return false;
    } finally {
      if (asking === mine) still.classList.remove("working");
    }
  }

  showPlay();
  return {
    element,
    // Of the preset alone.
    example(preset) {
      pause();
      asking?.abort();
      request = null;
      controls.hidden = true;
      note.textContent = `An example of ${preset.name}`;
      const image = h("img", { src: new URL(`${encodeURIComponent(preset.id)}.jpg`, IMAGES), alt: "" });
      image.addEventListener("error", () => still.replaceChildren());
      fill(still, image);
    },
    preview(json) {
      request = json;
      time.max = json.target_duration_seconds;
      controls.hidden = false;
      if (!playing) draw();
    },
    // What is left between the platform's own controls, on all sides.
    zone(platform) {
      const top = percent(platform.top_px, FRAME.height);
      free.style.setProperty("inset", [top, percent(platform.right_px, FRAME.width),
        percent(platform.bottom_px, FRAME.height), percent(platform.left_px, FRAME.width)].join(" "));
      label.style.setProperty("inset-block-start", `calc(${top} - 20px)`);
      label.textContent = platformName(platform.id);
    },
    stop() {
      pause();
      asking?.abort();
      if (shown) URL.revokeObjectURL(shown);
    },
  };
}
