// The frame of the page: who is signed in, which view is shown, theme and navigation.

import { resume, signIn, signOut, Problem } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { showMake } from "./make.js";
import { showJobs } from "./jobs.js";
import { showJob } from "./job.js";
import { showKeys } from "./keys.js";
import { showOperator } from "./operator.js";
import { showUsage } from "./usage.js";

const shell = document.getElementById("shell");
let session = null;
let leave = () => {};

// What a view may know of who looks at it.
const rights = () => ({
  submit: session.scopes.includes("submit"),
  read: session.scopes.includes("read"),
  admin: session.scopes.includes("admin"),
});

function mark() {
  return h("span", { class: "mark" }, h("span", { class: "logo", "aria-hidden": "true" }), "Pytoon");
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("pytoon-theme", root.dataset.theme);
  } catch {
    // Then it lasts as long as the page.
  }
}

const themeButton = () =>
  h("button", { class: "icon-button", "aria-label": "Switch between dark and light", onclick: toggleTheme },
    icon("sun"));

function showSignIn(why = "") {
  leave();
  leave = () => {};
  session = null;
  const key = h("input", { id: "key", type: "password", autocomplete: "current-password", required: true,
    "aria-describedby": "key-help sign-in-error" });
  const error = h("p", { id: "sign-in-error", class: "fault", role: "alert" }, why);
  const submit = async (event) => {
    event.preventDefault();
    try {
      session = await signIn(key.value.trim());
      frame();
    } catch (problem) {
      error.textContent = problem.status === 401 ? "The server does not know this key." : problem.message;
      key.select();
    }
  };
  fill(shell, h("main", { id: "view", class: "gate" },
    h("div", { class: "corner" }, themeButton()),
    h("form", { class: "card", onsubmit: submit },
      mark(),
      h("h1", {}, "Sign in"),
      h("label", { for: "key" }, "API key"),
      key,
      h("p", { id: "key-help", class: "hint" },
        "The key that your operator gave you. A server in development keeps its own in ",
        h("code", {}, "data/api_key"), "."),
      error,
      h("button", { class: "primary wide" }, "Sign in"))));
  key.focus();
}

async function leaveSession() {
  try {
    await signOut();
    showSignIn();
  } catch (problem) {
    if (problem instanceof Problem && problem.status !== 401) toast(problem.message, "bad");
  }
}

function places() {
  const allowed = rights();
  const list = [];
  if (allowed.submit) list.push(["#/make", "make", "Make"]);
  if (allowed.read) list.push(["#/jobs", "jobs", "Jobs"]);
  if (allowed.read) list.push(["#/usage", "usage", "Usage"]);
  if (allowed.admin) list.push(["#/operator", "operator", "Operator"], ["#/keys", "keys", "Keys"]);
  return list;
}

function frame() {
  const links = places().map(([to, name, text]) => h("a", { href: to }, icon(name), h("span", {}, text)));
  fill(shell,
    h("header", { class: "bar" },
      mark(),
      h("nav", { "aria-label": "Main" }, links),
      h("div", { class: "who" },
        h("span", { class: "tenant", title: "The tenant of your key" }, session.tenant),
        themeButton(),
        h("button", { class: "icon-button", "aria-label": "Sign out", onclick: leaveSession }, icon("out")))),
    h("main", { id: "view", tabindex: "-1" }));
  route();
}

function route() {
  if (!session) return;
  const view = document.getElementById("view");
  const [place, id] = location.hash.replace(/^#\//, "").split("/");
  const home = places()[0]?.[0] ?? "#/jobs";
  if (!place) {
    history.replaceState(null, "", home);
    return route();
  }
  for (const link of shell.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#/${place}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave();
  view.replaceChildren();
  scrollTo(0, 0);
  const views = { make: showMake, jobs: id ? showJob : showJobs, operator: showOperator,
    usage: showUsage, keys: showKeys };
  const show = views[place] ?? showJobs;
  leave = show(view, { id: id ? decodeURIComponent(id) : "", rights: rights() }) ?? (() => {});
  document.title = `${places().find(([, name]) => name === place)?.[2] ?? "Jobs"} · Pytoon`;
}

addEventListener("hashchange", () => {
  route();
  document.getElementById("view")?.focus({ preventScroll: true });
});
document.addEventListener("signed-out", () => {
  if (session) showSignIn("Your session has ended. Sign in again.");
});

session = await resume();
if (session) frame();
else showSignIn();
