// API keys: who has one, what it may, when it was used; make, rotate and revoke them. A key itself is
// shown once, when it is made.

import { get, post } from "./api.js";
import { ask, fill, h, icon, showText, toast } from "./dom.js";
import { ago, moment } from "./words.js";

const SCOPES = [["read", "Read jobs and videos"], ["submit", "Upload and submit"], ["admin", "Everything, of all tenants"]];
const TONES = { active: "good", expired: "off", revoked: "bad" };
const GRACE_SECONDS = 86400;

const path = (key, what) => `/api/v1/admin/keys/${encodeURIComponent(key.key_id)}/${what}`;

function orderOf(form) {
  const text = (name) => form.elements[name].value.trim();
  const order = { tenant: text("tenant"), scopes: SCOPES.map(([scope]) => scope).filter((scope) => form.elements[scope].checked) };
  if (text("name")) order.name = text("name");
  if (text("plan")) order.plan = text("plan");
  if (text("days")) order.expires_in_days = Number(text("days"));
  return order;
}

export function showKeys(view) {
  let gone = false;
  const list = h("div", {});
  const faults = h("ul", { class: "faults", role: "alert" });

  async function act(work, said) {
    try {
      const answer = await work();
      if (said) toast(said, "good");
      await load();
      return answer;
    } catch (problem) {
      toast(problem.message, "bad");
      return null;
    }
  }

  async function rotate(key) {
    if (!await ask("Make another key with the same rights? The old one goes on for a day.", "Rotate")) return;
    const made = await act(() => post(path(key, "rotate"), { json: { grace_seconds: GRACE_SECONDS } }));
    if (made) showText("The new key, shown this once", made.key);
  }

  async function revoke(key) {
    if (!await ask(`End the key ${key.name ?? key.hint} for ever? Sessions and links made with it end too.`, "Revoke")) return;
    act(() => post(path(key, "revoke")), "It is refused from now on.");
  }

  const actions = (key) => key.status === "active" && h("div", { class: "row wrap" },
    h("button", { class: "plain", type: "button", "aria-label": `Rotate ${key.name ?? key.hint}`, onclick: () => rotate(key) }, icon("retry"), "Rotate"),
    h("button", { class: "danger", type: "button", "aria-label": `Revoke ${key.name ?? key.hint}`, onclick: () => revoke(key) }, icon("stop"), "Revoke"));

  const row = (key) => h("tr", {},
    h("th", { scope: "row" }, key.name ?? "No name", h("span", { class: "hint block id" }, `${key.hint}…`)),
    h("td", { "data-name": "Tenant" }, key.tenant),
    h("td", { "data-name": "Scopes" }, key.scopes.join(", ")),
    h("td", { "data-name": "Plan" }, key.plan),
    h("td", { "data-name": "State" }, h("span", { class: `pill ${TONES[key.status]}` }, key.status)),
    h("td", { "data-name": "Used" }, key.last_used_at ? ago(key.last_used_at) : "never"),
    h("td", { "data-name": "Ends" }, key.expires_at ? moment(key.expires_at) : "never"),
    h("td", {}, actions(key)));

  async function load() {
    const { keys } = await get("/api/v1/admin/keys");
    if (gone) return;
    fill(list, keys.length === 0
      ? h("p", { class: "hint" }, "None was made here. Keys of the environment and of a file are not listed.")
      : h("table", { class: "keys" }, h("thead", {}, h("tr", {}, ["Key", "Tenant", "Scopes", "Plan", "State", "Used", "Ends", "Actions"].map((name) =>
        h("th", { scope: "col" }, name)))), h("tbody", {}, keys.map(row))));
  }

  async function create(event) {
    event.preventDefault();
    const form = event.target;
    faults.replaceChildren();
    try {
      const made = await post("/api/v1/admin/keys", { json: orderOf(form) });
      form.reset();
      showText("The new key, shown this once", made.key);
      await load();
    } catch (problem) {
      fill(faults, (problem.faults?.length ? problem.faults : [{ pointer: "", detail: problem.message }])
        .map((fault) => h("li", {}, `${fault.pointer.slice(1)} ${fault.detail}`.trim())));
    }
  }

  const field = (name, text, attributes) =>
    h("div", { class: "field" }, h("label", { for: `key-${name}` }, text), h("input", { id: `key-${name}`, name, autocomplete: "off", ...attributes }));
  fill(view, h("h1", {}, "Keys"),
    h("section", { class: "card" }, h("h2", {}, "A new key"),
      h("form", { class: "stack", onsubmit: create },
        h("div", { class: "key-fields" },
          field("tenant", "Tenant", { required: true, maxlength: 64 }), field("name", "Name", { maxlength: 100 }),
          field("plan", "Plan", { placeholder: "default" }), field("days", "Ends after days", { type: "number", min: 1, max: 3650, placeholder: "never" })),
        h("fieldset", { class: "checks" }, h("legend", {}, "Scopes"), SCOPES.map(([scope, about]) =>
          h("label", { class: "check" }, h("input", { type: "checkbox", name: scope, checked: scope === "read" }), `${scope}: ${about}`))),
        faults,
        h("div", { class: "row end" }, h("button", { class: "primary" }, icon("make"), "Make the key")))),
    h("section", { class: "card" }, h("h2", {}, "Keys that were made"), list));
  load().catch((problem) => fill(list, h("p", { class: "fault" }, problem.message)));
  return () => {
    gone = true;
  };
}
