// The still of the video to be, upright as on a phone, with what the platform's own interface
// covers drawn over it.

import { fill, h } from "./dom.js";

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

export function stage() {
  const still = h("div", { class: "stage-image" });
  const free = h("div", { class: "zone-free" });
  const zone = h("div", { class: "zone", "aria-hidden": "true" }, free);
  const toggle = h("input", { type: "checkbox", checked: true, onchange: () => {
    zone.hidden = !toggle.checked;
  } });
  const element = h("div", { class: "stage" },
    h("div", { class: "phone" }, still, zone),
    h("label", { class: "check" }, toggle, "Show what the platform covers"));
  return {
    element,
    show(preset) {
      const image = h("img", { src: new URL(`${encodeURIComponent(preset.id)}.jpg`, IMAGES),
        alt: `An example of ${preset.name}` });
      image.addEventListener("error", () => fill(still, h("p", { class: "hint" }, preset.name)));
      fill(still, image);
    },
    // What is left between the platform's own controls, on all sides.
    zone(platform) {
      free.style.setProperty("inset", [percent(platform.top_px, FRAME.height), percent(platform.right_px, FRAME.width),
        percent(platform.bottom_px, FRAME.height), percent(platform.left_px, FRAME.width)].join(" "));
      fill(free, h("span", {}, platformName(platform.id)));
    },
  };
}
