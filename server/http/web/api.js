// The public API, as a browser uses it: the session's cookie goes along by itself, its CSRF token
// with every request that changes something.

let csrfToken = "";

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.faults = body.errors ?? [];
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body);
}

function checked(response) {
  if (response.status === 401) document.dispatchEvent(new Event("signed-out"));
  return response;
}

async function send(method, path, headers, body, signal) {
  let response;
  try {
    response = await fetch(path, { method, headers, body, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The server can't be reached." });
  }
  if (!response.ok) throw await problemOf(checked(response));
  return response;
}

export async function call(method, path, { json, headers = {}, signal } = {}) {
  const sent = { ...headers };
  if (method !== "GET") sent["X-CSRF-Token"] = csrfToken;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const body = json === undefined ? undefined : JSON.stringify(json);
  const response = await send(method, path, sent, body, signal);
  return response.status === 204 ? null : response.json();
}

// The frames that the video of this request shows at moments, one below the other in one image.
export async function previewFrames(json, { at, count = 1, step = 0 }, signal) {
  const headers = { "X-CSRF-Token": csrfToken, "Content-Type": "application/json" };
  const path = `/api/v1/preview?at_seconds=${at}&frames=${count}&step_seconds=${step}`;
  return (await send("POST", path, headers, JSON.stringify(json), signal)).blob();
}

// Where the bytes of an upload are.
export const assetPath = (uri) => `/api/v1/assets/${uri.replace("storage://", "").split("/").map(encodeURIComponent).join("/")}`;

export const get = (path, options) => call("GET", path, options);
export const post = (path, options) => call("POST", path, options);

function begin(session) {
  csrfToken = session.csrf_token;
  return session;
}

export async function signIn(key) {
  return begin(await (await send("POST", "/session", { "X-API-Key": key })).json());
}

// The session that the browser has already; null when it has none.
export async function resume() {
  const response = await fetch("/session", { credentials: "same-origin" }).catch(() => null);
  return response && response.ok ? begin(await response.json()) : null;
}

export async function signOut() {
  await call("DELETE", "/session");
  csrfToken = "";
}

// With a progress from 0 to 1, which fetch() can't tell.
export function upload(file, category, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", "/api/v1/assets/upload");
    request.responseType = "json";
    request.setRequestHeader("X-CSRF-Token", csrfToken);
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0, { detail: "The upload was cut off." }));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
      else reject(new Problem(checked(request).status, request.response ?? {}));
    };
    const form = new FormData();
    form.append("category", category);
    form.append("file", file);
    request.send(form);
  });
  return { done, stop: () => request.abort() };
}

// Tells each change of a job until it has ended; gives what stops it. The browser reconnects by
// itself and goes on after the last event it saw.
export function follow(id, onJob, onGone) {
  const events = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/events`);
  const told = (event) => onJob(JSON.parse(event.data));
  events.addEventListener("progress", told);
  events.addEventListener("done", (event) => {
    events.close();
    told(event);
  });
  events.addEventListener("gone", () => {
    events.close();
    onGone();
  });
  return () => events.close();
}
