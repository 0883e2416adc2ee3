// The presets as images: each a frame that the renderer drew with it.

import { fill, h } from "./dom.js";
import { plain } from "./words.js";

const IMAGES = new URL("./presets/", import.meta.url);

function image(preset) {
  const image = h("img", { src: new URL(`${encodeURIComponent(preset.id)}.jpg`, IMAGES), alt: "", loading: "lazy" });
  // A preset that an operator added has no image here.
  image.addEventListener("error", () => {
    image.replaceWith(h("span", { class: `preset-blank ${preset.archetype.toLowerCase()}` }, "Aa"));
  });
  return image;
}

export function gallery(onChange) {
  const element = h("div", { class: "gallery", role: "radiogroup", "aria-label": "Preset" });
  let presets = [];
  let chosen = "";

  function choose(id) {
    chosen = id;
    onChange();
  }

  function card(preset) {
    return h("label", { class: "preset" },
      h("input", { type: "radio", name: "preset", value: preset.id, checked: preset.id === chosen,
        class: "unseen", onchange: () => choose(preset.id) }),
      h("span", { class: "preset-image" }, image(preset)),
      h("span", { class: "preset-name" }, preset.name),
      h("span", { class: "hint" }, `${plain(preset.archetype)}, ${plain(preset.motion_profile)} motion`));
  }

  return {
    element,
    chosen: () => presets.find((preset) => preset.id === chosen) ?? null,
    fields: () => ({ preset_id: chosen }),
    show(list, first) {
      presets = list;
      chosen = list.some((preset) => preset.id === first) ? first : list[0]?.id ?? "";
      fill(element, list.map(card));
    },
  };
}
