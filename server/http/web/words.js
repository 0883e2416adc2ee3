// How numbers, times and states read.

export function seconds(value) {
  if (value === null || value === undefined) return "unknown";
  if (value < 1) return "under 1 s";
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "unknown";
  const size = Math.abs(value);
  if (size >= 2 ** 30) return `${(value / 2 ** 30).toFixed(1)} GiB`;
  if (size >= 2 ** 20) return `${Math.round(value / 2 ** 20)} MiB`;
  return `${Math.round(value / 1024)} KiB`;
}

export function money(microUsd) {
  return microUsd === 0 ? "free" : `$${(microUsd / 1e6).toFixed(microUsd < 1e5 ? 3 : 2)}`;
}

export function ago(iso) {
  const past = (Date.now() - Date.parse(iso)) / 1000;
  if (past < 5) return "just now";
  if (past < 86400) return `${seconds(past)} ago`;
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

export function until(iso) {
  const left = (Date.parse(iso) - Date.now()) / 1000;
  return left < 1 ? "now" : `in ${seconds(left)}`;
}

export function moment(iso) {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

const STATES = {
  QUEUED: ["Queued", "wait"],
  PLANNING: ["Preparing", "live"],
  RENDERING_SEGMENTS: ["Rendering", "live"],
  ASSEMBLING: ["Assembling", "live"],
  DONE: ["Done", "good"],
  FAILED: ["Failed", "bad"],
  CANCELLED: ["Cancelled", "off"],
  PENDING: ["Waiting", "wait"],
  RUNNING: ["Rendering", "live"],
};

export const stateName = (status) => (STATES[status] ?? [status, ""])[0];
export const stateTone = (status) => (STATES[status] ?? [status, ""])[1];
export const isEnded = (status) => ["DONE", "FAILED", "CANCELLED"].includes(status);

export const plain = (name) => String(name).replaceAll("_", " ").toLowerCase();
