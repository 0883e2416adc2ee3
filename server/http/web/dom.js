// Making elements. Everything that is shown goes through text nodes and attributes, never through
// markup, so a hostile name or caption is text and nothing else.

const SVG = "http://www.w3.org/2000/svg";

function put(element, children) {
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

// h("button", {class: "primary", onclick: act, disabled: busy}, "Make")
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "muted") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  return put(element, children);
}

export function fill(element, ...children) {
  element.replaceChildren();
  return put(element, children);
}

// Outlines on a 24 x 24 grid, drawn with the text's colour.
const PATHS = {
  make: "M12 5v14M5 12h14",
  jobs: "M4 6h16M4 12h16M4 18h10",
  operator: "M4 20V10m5.5 10V4M15 20v-7m5 7V8",
  usage: "M4 14a8 8 0 0 1 16 0M12 14l4-5M4 18h16",
  keys: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8m-3 3 3 3",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M4.2 4.2l1.4 1.4m12.8 12.8 1.4 1.4M2 12h2m16 0h2" +
    "M4.2 19.8l1.4-1.4M18.4 5.6l1.4-1.4",
  out: "M15 4h4a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-4M10 8l-4 4 4 4m-4-4h10",
  close: "M6 6l12 12M18 6 6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  upload: "M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  download: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M4 19h16",
  play: "M8 5v14l11-7z",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1m2 3.7a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  retry: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  stop: "M7 7h10v10H7z",
  bin: "M5 7h14M10 7V5h4v2m3 0-1 12H8L7 7",
  copy: "M9 9h10v11H9zM6 15H5V4h10v1",
  sound: "M5 10v4h3l4 4V6L8 10zM16 9a4 4 0 0 1 0 6",
  warn: "M12 4 3 19h18zM12 10v4m0 2.5v.5",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zm4.5 10.5L20 20",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// Lines of values from 0 to `most`, oldest first: [class, values] each.
export function sparkline(lines, most, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 120 32");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  for (const [name, values] of lines) {
    const step = 120 / Math.max(1, values.length - 1);
    const points = values.map((value, i) => `${(i * step).toFixed(1)},${(31 - 30 * Math.min(1, value / most)).toFixed(1)}`);
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("class", name);
    line.setAttribute("points", points.join(" "));
    svg.append(line);
  }
  return svg;
}

let toastTimer = 0;
export function toast(text, kind = "") {
  const place = document.getElementById("toasts");
  fill(place, h("p", { class: `toast ${kind}` }, text));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => place.replaceChildren(), 6000);
}

// A question that must be answered first; resolves to true or false.
export function ask(question, yes) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "ask", "aria-label": question, onclose: () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    } },
    h("form", { method: "dialog" },
      h("p", {}, question),
      h("div", { class: "row end" },
        h("button", { class: "plain", value: "no" }, "Cancel"),
        h("button", { class: "danger", value: "yes" }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Something to copy by hand.
export function showText(title, text) {
  const input = h("input", { readonly: true, value: text, "aria-label": title });
  const dialog = h("dialog", { class: "ask", "aria-label": title, onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("p", {}, title), input,
      h("div", { class: "row end" }, h("button", { class: "plain" }, "Close"))));
  document.body.append(dialog);
  dialog.showModal();
  input.select();
}
