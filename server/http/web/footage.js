// What a video is made of: files that were dropped or chosen, uploaded at once, in an order that
// people can change. File names are shown as text and sent as text.

import { assetPath, upload } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { bytes } from "./words.js";

const KINDS = {
  image: { category: "image", types: ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "image/avif"] },
  clip: { category: "video", types: ["video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "image/gif", "image/apng"] },
  sound: { category: "audio", types: ["audio/"] },
};
const MOST = { image: 20, clip: 20 };

export function kindOf(file) {
  for (const [kind, { types }] of Object.entries(KINDS)) {
    if (types.some((type) => file.type.startsWith(type))) return kind;
  }
  return /\.(heic|heif|avif)$/i.test(file.name) ? "image" : null;
}

// onChange is called whenever what fields() gives has changed.
export function footage(onChange) {
  let items = [];
  const list = h("ul", { class: "tiles", "aria-label": "Chosen files" });
  const input = h("input", { type: "file", multiple: true, id: "files", class: "unseen",
    accept: "image/*,video/*,audio/*", onchange: () => {
      take(input.files);
      input.value = "";
    } });
  const zone = h("label", { class: "drop", for: "files" },
    icon("upload"),
    h("strong", {}, "Drop images, clips, music or a voice"),
    h("span", { class: "hint" }, "or choose files. 20 MB each, clips 300 MB."));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  function take(files) {
    for (const file of files) {
      const kind = kindOf(file);
      if (!kind) {
        toast(`${file.name} is no image, clip or sound that is taken here.`, "bad");
      } else if (MOST[kind] && items.filter((item) => item.kind === kind).length >= MOST[kind]) {
        toast(`At most ${MOST[kind]} ${kind}s make a video.`, "bad");
      } else {
        begin(file, kind);
      }
    }
    changed();
  }

  function begin(file, kind) {
    const item = { kind, name: file.name, size: file.size, progress: 0, uri: "", error: "" };
    item.shown = kind === "sound" ? "" : URL.createObjectURL(file);
    if (kind === "sound") item.role = items.some((other) => other.role === "music") ? "voice" : "music";
    const { done, stop } = upload(file, KINDS[kind].category, (part) => {
      item.progress = part;
      item.bar?.style.setProperty("inline-size", `${Math.round(part * 100)}%`);
    });
    item.stop = stop;
    items.push(item);
    done.then((asset) => {
      item.uri = asset.uri;
      item.asset = asset;
      changed();
    }, (problem) => {
      if (problem.name === "AbortError") return;
      item.error = problem.message;
      changed();
    });
  }

  function remove(item) {
    if (!item.uri && !item.error) item.stop();
    URL.revokeObjectURL(item.shown);
    items = items.filter((other) => other !== item);
    changed();
    input.focus();
  }

  // Among those of its kind: images come before clips in a video.
  function move(item, step) {
    const alike = items.filter((other) => other.kind === item.kind);
    const other = alike[alike.indexOf(item) + step];
    if (!other) return;
    const at = items.indexOf(item);
    const to = items.indexOf(other);
    [items[at], items[to]] = [items[to], items[at]];
    changed();
    list.querySelectorAll("li")[to]?.querySelector("button:not([disabled])")?.focus();
  }

  function setRole(item, role) {
    for (const other of items) {
      if (other !== item && other.role === role) other.role = role === "music" ? "voice" : "music";
    }
    item.role = role;
    changed();
  }

  function image(item) {
    const none = h("span", { class: "no-image" }, icon(item.kind === "sound" ? "sound" : "play"));
    if (!item.shown) return none;
    const shown = item.kind === "image" ? h("img", { src: item.shown, alt: "" })
      : h("video", { src: item.shown, muted: true, preload: "metadata" });
    // Of some types browsers know nothing.
    shown.addEventListener("error", () => shown.replaceWith(none));
    return shown;
  }

  function state(item) {
    if (item.error) return h("p", { class: "fault" }, item.error);
    if (item.uri) return h("p", { class: "hint" }, item.size ? bytes(item.size) : "from that job");
    item.bar = h("span", { class: "fill" });
    item.bar.style.setProperty("inline-size", `${Math.round(item.progress * 100)}%`);
    return h("p", { class: "meter", role: "progressbar", "aria-label": `Upload of ${item.name}` }, item.bar);
  }

  function tile(item) {
    const alike = items.filter((other) => other.kind === item.kind);
    const at = alike.indexOf(item);
    const mover = (step, name, text) =>
      h("button", { type: "button", class: "icon-button", "aria-label": `Move ${item.name} ${text}`,
        disabled: !alike[at + step], onclick: () => move(item, step) }, icon(name));
    const roles = item.kind === "sound" && h("select", { "aria-label": `What ${item.name} is`,
      onchange: (event) => setRole(item, event.target.value) },
    ["music", "voice"].map((role) =>
      h("option", { value: role, selected: item.role === role }, role === "music" ? "Music" : "Voice")));
    return h("li", { class: `tile ${item.kind}` },
      h("div", { class: "tile-image" }, image(item),
        item.kind !== "sound" && h("span", { class: "tile-kind" }, item.kind === "clip" ? "Clip" : `${at + 1}`)),
      h("p", { class: "name", title: item.name }, item.name),
      roles,
      state(item),
      h("div", { class: "tile-actions" },
        item.kind !== "sound" && [mover(-1, "left", "to the left"), mover(1, "right", "to the right")],
        h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${item.name}`,
          onclick: () => remove(item) }, icon("close"))));
  }

  function changed() {
    fill(list, items.map(tile));
    onChange();
  }

  const uris = (kind) => items.filter((item) => item.kind === kind && item.uri).map((item) => item.uri);
  const ofRole = (role) => items.find((item) => item.role === role && item.uri)?.uri;

  return {
    element: h("div", {}, input, zone, list),
    busy: () => items.some((item) => !item.uri && !item.error),
    // As the request wants them.
    fields: () => ({
      image_uris: uris("image"),
      clip_uris: uris("clip"),
      music_uri: ofRole("music"),
      voice_uri: ofRole("voice"),
    }),
    // What another job was made of: the files are there.
    start(assets) {
      const add = (kind, uri, name, role) => items.push({ kind, uri, name, role, size: 0, progress: 1, error: "",
        shown: kind === "sound" ? "" : assetPath(uri) });
      (assets.images ?? []).forEach((uri, i) => add("image", uri, `Image ${i + 1}`));
      (assets.clips ?? []).forEach((uri, i) => add("clip", uri, `Clip ${i + 1}`));
      if (assets.music) add("sound", assets.music, "Music", "music");
      if (assets.voice) add("sound", assets.voice, "Voice", "voice");
      changed();
    },
    stop() {
      for (const item of items) {
        if (!item.uri && !item.error) item.stop();
        URL.revokeObjectURL(item.shown);
      }
    },
  };
}
