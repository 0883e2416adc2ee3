// The words on the video, checked while they are typed: how long they stand, whether that is time
// enough to read them, and what the server says of each.

import { fill, h, icon } from "./dom.js";

const BYTES_MAX = 1000;
const BEATS_MAX = 20;
// What people read of a subtitle in comfort (Netflix Timed Text Style Guide, adult programmes).
const CHARACTERS_PER_SECOND = 20;

const characters = (text) => [...text].length;
const utf8 = new TextEncoder();

// duration() is the video's, in seconds; onChange is called whenever fields() has changed.
export function captions(duration, onChange) {
  let beats = [""];
  let faults = new Map();  // by pointer
  const texts = { hook: "", cta: "" };
  const rows = new Map();  // by pointer: how to show what is to be said of it
  const beatList = h("div", { class: "stack" });

  const shown = () => [texts.hook, ...beats, texts.cta].filter((text) => text.trim()).length;

  function judge(text) {
    if (utf8.encode(text).length > BYTES_MAX) return ["bad", "This is longer than a caption may be."];
    const time = duration() / Math.max(1, shown());
    const count = characters(text);
    if (count === 0) return ["", ""];
    const read = count / CHARACTERS_PER_SECOND;
    const stands = `${count} characters, ${time.toFixed(1)} s on screen`;
    return read > time ? ["warn", `${stands}: too short a time to read it`] : ["good", stands];
  }

  function refresh() {
    for (const [pointer, row] of rows) {
      const fault = faults.get(pointer);
      const [tone, text] = fault ? ["bad", fault] : judge(row.input.value);
      row.note.className = `note ${tone}`;
      row.note.textContent = text;
      row.input.setAttribute("aria-invalid", tone === "bad" ? "true" : "false");
    }
  }

  function changed() {
    faults = new Map();
    refresh();
    onChange();
  }

  function field(pointer, label, text, hint, onText, extra) {
    const id = `caption${pointer.replaceAll("/", "-")}`;
    const note = h("p", { class: "note", id: `${id}-note` });
    const input = h("textarea", { id, rows: 1, value: text, placeholder: hint, "aria-describedby": `${id}-note`,
      oninput: () => {
        onText(input.value);
        changed();
      } });
    rows.set(pointer, { input, note });
    return h("div", { class: "field" },
      h("label", { for: id }, label),
      h("div", { class: "row" }, input, extra),
      note);
  }

  function showBeats(focus = -1) {
    for (const pointer of [...rows.keys()]) if (pointer.startsWith("/captions/beats")) rows.delete(pointer);
    fill(beatList, beats.map((text, i) => field(`/captions/beats/${i}`, `Beat ${i + 1}`, text, "One point at a time",
      (value) => {
        beats[i] = value;
      },
      h("button", { type: "button", class: "icon-button", "aria-label": `Remove beat ${i + 1}`, onclick: () => {
        beats.splice(i, 1);
        showBeats(Math.max(0, i - 1));
        changed();
      } }, icon("close")))));
    refresh();
    if (focus >= 0) (rows.get(`/captions/beats/${focus}`)?.input ?? adder).focus();
  }

  const adder = h("button", { type: "button", class: "plain", onclick: () => {
    if (beats.length >= BEATS_MAX) return;
    beats.push("");
    showBeats(beats.length - 1);
  } }, icon("make"), "Add a beat");

  const ends = h("div", { class: "stack" });
  function show() {
    rows.clear();
    fill(ends,
      field("/captions/hook", "Hook", texts.hook, "What stops the thumb", (value) => {
        texts.hook = value;
      }),
      beatList, h("div", {}, adder),
      field("/captions/cta", "Call to action", texts.cta, "What to do next", (value) => {
        texts.cta = value;
      }));
    showBeats();
  }
  show();

  return {
    element: ends,
    fields: () => {
      const said = beats.filter((text) => text.trim());
      const wanted = {};
      if (texts.hook.trim()) wanted.hook = texts.hook;
      if (said.length) wanted.beats = said;
      if (texts.cta.trim()) wanted.cta = texts.cta;
      return Object.keys(wanted).length ? { captions: wanted } : {};
    },
    refresh,
    // What the server says of fields; gives back what is none of ours. Empty beats are not sent, so
    // the server's counting is of those that are.
    blame(found) {
      const sent = beats.map((text, i) => [text, i]).filter(([text]) => text.trim());
      faults = new Map();
      const rest = [];
      for (const { pointer, detail } of found) {
        const beat = /^\/captions\/beats\/(\d+)$/.exec(pointer);
        const ours = beat ? `/captions/beats/${sent[Number(beat[1])]?.[1]}` : pointer;
        if (rows.has(ours)) faults.set(ours, detail);
        else rest.push({ pointer, detail });
      }
      refresh();
      return rest;
    },
    start(plan) {
      texts.hook = plan.hook ?? "";
      texts.cta = plan.cta ?? "";
      beats = plan.beats?.length ? [...plan.beats] : [""];
      show();
      changed();
    },
  };
}
