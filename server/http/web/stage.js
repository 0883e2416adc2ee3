// The video to be, upright as on a phone: the frames that the renderer draws for the request as it
// stands, at the moment that was chosen, with what the platform's own interface covers drawn over
// them. An example of the preset stands in until there is something to show.

import { previewFrames } from "./api.js";
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

const HALF = { width: 540, height: 960 };
const STEP_SECONDS = 0.1;
const STRIP_FRAMES = 12;
// While it plays: as many frames a second as the server draws, within these.
const PLAY_STEP_SECONDS = { least: 1 / 15, most: 0.5 };
const REST_MS = 150;  // of the slider, before the exact frame is asked for

export function stage() {
  let request = null;  // what is shown, once it is more than an example
  let asking = null;  // the latest draw(): what came before it is not shown any more
  let playing = null;  // AbortController while the preview moves
  let strip = null;  // {bitmap, step}: frames of the whole video, for the slider
  let fetchingStrip = null;
  let frameMs = 80;  // what a frame of a strip took of late
  let restTimer = 0;
  let shown = "";
  const still = h("div", { class: "stage-image" });
  const film = h("canvas", { width: HALF.width, height: HALF.height, role: "img", "aria-label": "The video as it moves" });
  const free = h("div", { class: "zone-free" });
  const label = h("span", { class: "zone-name" });
  const zone = h("div", { class: "zone", "aria-hidden": "true" }, free, label);
  const toggle = h("input", { type: "checkbox", checked: true, onchange: () => {
    zone.hidden = !toggle.checked;
  } });
  const time = h("input", { type: "range", min: 0, max: 15, step: STEP_SECONDS, value: 1, "aria-label": "Moment of the preview",
    onpointerenter: prepareStrip, onfocus: prepareStrip, oninput: () => {
      pause();
      tell();
      showFromStrip();
      clearTimeout(restTimer);
      restTimer = setTimeout(draw, REST_MS);
    } });
  const clock = h("output", {}, "");
  const play = h("button", { type: "button", class: "icon-button", onclick: () => (playing ? stopAndDraw() : begin()) });
  const note = h("p", { class: "hint", "aria-live": "polite" });
  const controls = h("div", { class: "row stage-time", hidden: true }, play, time, clock);
  const element = h("div", { class: "stage" },
    h("div", { class: "phone" }, still, zone), controls, note,
    h("label", { class: "check" }, toggle, "Show what the platform covers"));

  function tell() {
    clock.textContent = `${Number(time.value).toFixed(1)} s`;
  }

  function showPlay() {
    play.setAttribute("aria-label", playing ? "Pause the preview" : "Play the preview");
    fill(play, icon(playing ? "stop" : "play"));
  }

  // Frames of the request as it stands, `count` from `at` on.
  async function fetchStrip(at, count, step, signal) {
    const started = performance.now();
    const blob = await previewFrames(request, { at, count, step: step.toFixed(4) }, signal);
    const bitmap = await createImageBitmap(blob);
    frameMs = (performance.now() - started) / count;
    return { at, count, step, bitmap };
  }

  function showFrame(from, index) {
    if (film.parentNode !== still) fill(still, film);
    film.getContext("2d").drawImage(from.bitmap, 0, index * HALF.height, HALF.width, HALF.height, 0, 0, HALF.width, HALF.height);
  }

  // So that the slider has something to show at once, wherever it is dragged.
  async function prepareStrip() {
    if (!request || strip || fetchingStrip) return;
    const mine = fetchingStrip = new AbortController();
    try {
      const fresh = await fetchStrip(0, STRIP_FRAMES, Number(time.max) / (STRIP_FRAMES - 1), mine.signal);
      if (fetchingStrip === mine) strip = fresh;
    } catch {
      // The exact frame says what is wrong.
    } finally {
      if (fetchingStrip === mine) fetchingStrip = null;
    }
  }

  function showFromStrip() {
    prepareStrip();
    if (strip) showFrame(strip, Math.min(STRIP_FRAMES - 1, Math.round(Number(time.value) / strip.step)));
  }

  function forgetStrip() {
    fetchingStrip?.abort();
    fetchingStrip = null;
    strip = null;
  }

  function pause() {
    playing?.abort();
    playing = null;
    showPlay();
  }

  function stopAndDraw() {
    pause();
    draw();
  }

  // In real time, one strip being drawn while the one before it is shown.
  async function begin() {
    asking?.abort();
    clearTimeout(restTimer);
    const mine = playing = new AbortController();
    showPlay();
    if (Number(time.value) >= Number(time.max)) time.value = 0;
    still.classList.add("working");
    try {
      await show(mine.signal);
      note.textContent = "";
    } catch (problem) {
      if (problem.name !== "AbortError" && playing === mine) note.textContent = problem.message;
    }
    if (playing !== mine) return;
    stopAndDraw();
  }

  async function show(signal) {
    const end = Number(time.max);
    const ask = (at) => {
      const step = Math.min(PLAY_STEP_SECONDS.most, Math.max(PLAY_STEP_SECONDS.least, (1.25 * frameMs) / 1000));
      const count = Math.max(1, Math.min(STRIP_FRAMES, Math.ceil((end - at) / step)));
      return fetchStrip(at, count, step, signal);
    };
    let next = ask(Number(time.value));
    while (next) {
      const now = await next;
      const after = now.at + now.count * now.step;
      next = after < end ? ask(after) : null;
      next?.catch(() => {});  // it is awaited above, unless we stop before
      still.classList.remove("working");
      for (let i = 0; i < now.count; ++i) {
        signal.throwIfAborted();
        showFrame(now, i);
        time.value = Math.min(end, now.at + i * now.step);
        tell();
        await new Promise((resolve) => setTimeout(resolve, 1000 * now.step));
      }
    }
    time.value = end;
  }

  async function draw() {
    asking?.abort();
    clearTimeout(restTimer);
    if (!request) return;
    const mine = new AbortController();
    asking = mine;
    tell();
    still.classList.add("working");
    try {
      const at = time.value;
      const blob = await previewFrames(request, { at }, mine.signal);
      const before = shown;
      shown = URL.createObjectURL(blob);
      const image = h("img", { src: shown, alt: `The video at ${at} seconds` });
      await image.decode();
      if (asking === mine && !playing) {
        fill(still, image);
        note.textContent = "";
      }
      if (before) URL.revokeObjectURL(before);
    } catch (problem) {
      if (problem.name !== "AbortError" && asking === mine) note.textContent = problem.message;
    } finally {
      if (asking === mine && !playing) still.classList.remove("working");
    }
  }

  showPlay();
  return {
    element,
    // Of the preset alone.
    example(preset) {
      pause();
      forgetStrip();
      asking?.abort();
      request = null;
      controls.hidden = true;
      note.textContent = `An example of ${preset.name}`;
      const image = h("img", { src: new URL(`${encodeURIComponent(preset.id)}.jpg`, IMAGES), alt: "" });
      image.addEventListener("error", () => still.replaceChildren());
      fill(still, image);
    },
    preview(json) {
      pause();
      forgetStrip();
      request = json;
      time.max = json.target_duration_seconds;
      controls.hidden = false;
      draw();
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
      forgetStrip();
      clearTimeout(restTimer);
      asking?.abort();
      if (shown) URL.revokeObjectURL(shown);
    },
  };
}
