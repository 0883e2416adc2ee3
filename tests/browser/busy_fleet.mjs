// What GET /api/v1/admin/capacity answers of two GPU nodes at work: a machine that tests don't have.

const GIB = 2 ** 30;
const now = new Date().toISOString();

const worker = (host, draining, held) => ({
  worker_id: `${host}-1`, host, pid: 4121, threads: 16, device: "NVIDIA H100 80GB HBM3", device_kind: "cuda",
  encoders: ["cuda+libx264", "libx264"], engines: ["local_comfyui"],
  pools: [{ name: "render", threads: 16, busy: held, lost: 0, breaker: null }, { name: "audio", threads: 2, busy: 1, lost: 0, breaker: null },
    { name: "engine:local_comfyui", threads: 1, busy: 1, lost: 0, breaker: draining ? "open" : "closed" }],
  draining, held, started_at: now, seen_at: now });

const gpu = (uuid, stale, heldGib, promisedGib) => ({
  gpu: uuid, name: "NVIDIA H100 80GB HBM3", stale, sampled_at: now, age_seconds: stale ? 31 : 0.4, total_bytes: 80 * GIB,
  free_bytes: 34 * GIB, promised_bytes: promisedGib * GIB, held_bytes: heldGib * GIB, foreign_bytes: 3 * GIB, contexts_bytes: GIB,
  headroom_bytes: 2 * GIB, available_bytes: 30 * GIB, encoder_sessions: { used: 0, allowed: null },
  comfyui: { state: "busy", dynamic_vram: false, resident_bytes: 22 * GIB, working_bytes: 6 * GIB, paged_bytes: 0,
    residue_bytes: 0, models: [{ model: "wan2.1", bytes: 22 * GIB }] },
  promises: [] });

const tenant = (name, weight, queued, running) => ({ tenant: name, weight, queued_jobs: queued, running_jobs: running,
  open_segments: 4 * queued + 2 * running, running_tasks: 3 * running, oldest_queued_seconds: queued ? 71.2 : 0 });

const delivery = (id, state, attempts, error) => ({ event_id: `msg_${id}`, job_id: `${id}-1111-4a4a-9c9c-0123456789ab`, tenant: "acme",
  receiver: "https://hooks.example.com:443", type: "job.done", state, attempts, last_error: error, tried_at: now,
  next_try_at: state === "pending" ? new Date(Date.now() + 300_000).toISOString() : null, created_at: now });

// What GET /api/v1/admin/webhooks answers there.
export const busyWebhooks = { deliveries: [delivery("7c1d9a02", "sending", 1, null), delivery("b2f08d11", "delivered", 1, null),
  delivery("a9e3c7f4", "pending", 4, "the receiver answered 503"), delivery("0f5c2d9e", "given_up", 38, "all 38 attempts failed: the receiver answered 500")] };

export const busyFleet = {
  draining: false, queued_jobs: 42, open_segments: 163, oldest_queued_seconds: 71.2,
  tenants: [tenant("acme", 2, 30, 4), tenant("globex", 1, 12, 3), tenant("initech", 1, 0, 1)], seconds_per_segment: 2.1,
  seconds_of_work: 342.3, threads: 32, workers: [worker("node-a", false, 14), worker("node-b", true, 3)], dead_letters: 1,
  dead_letters_latest: [{ job_id: "0f5c2d9e-1111-4a4a-9c9c-0123456789ab", event_id: "evt-1",
    cause: "https://hooks.example.com answered 500 for a day", at: now }],
  gpus: [gpu("GPU-1", false, 8, 12), gpu("GPU-2", true, 2, 2)] };
