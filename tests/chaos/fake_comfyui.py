"""A ComfyUI that takes memory of a FakeCard as the real one does of a real card, and that may do
all that the real one may: load its models over a while, need more or less than the workflow's file
says, keep torch's cache, answer slowly, free late and leave something behind, run out of memory,
restart. What it does is drawn by a seed. Its contract is that of a real ComfyUI 0.3.64 that was
run: /system_stats counts torch's idle cache as free, /free answers before it has done anything,
queue and history are in memory only. No WebSocket.

Memory in MiB, as in torch: `active` is used, `cached` is torch's own and nobody else's.
"""

import collections
import copy
import http.server
import json
import pathlib
import random
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse

CONTEXT = 700       # of CUDA, cuBLAS and cuDNN: in none of its own figures
PID = 4_000_001     # no process of this machine
MIB = 1 << 20
RESIDUE_MAX = 500   # that unloads leave behind, in all
LOAD_STEPS = 12


class OutOfMemory(Exception):
    def __init__(self, missing):
        super().__init__()
        self.missing = missing


# Of a prompt: its model's runs before, what it lacked, and by how much others had grown since it
# began.
class Oom(collections.namedtuple("Oom", "model runs missing grown")):
    def by_others(self):
        """What others took while it ran is nobody's fault here: the promise was good once."""
        return self.grown >= self.missing > 0

    def of_known_workflow(self):
        return self.runs > 0 and not self.by_others()


class Interrupted(Exception):
    pass


class Model:
    """What a workflow's models and its prompts really take, whatever its file says."""

    def __init__(self, files, weights, tiled, load, run, lie):
        self.files = tuple(sorted(files))
        self.weights, self.tiled, self.load, self.run, self.lie = weights, tiled, load, run, lie

    def working(self, tiled, random_source):
        noise = random_source.uniform(0.97, 1.03)
        share = 1 if tiled else random_source.uniform(2.9, 3.1)
        return round(self.tiled * self.lie * share * noise)


class Prompt:
    def __init__(self, number, identity, graph, extra):
        self.number, self.id, self.graph, self.extra = number, identity, graph, extra
        self.interrupted = False

    def entry(self):
        return [self.number, self.id, self.graph, self.extra, []]

    def tiled(self):
        return any(node["class_type"] == "VAEDecodeTiled" for node in self.graph.values())

    def files(self):
        return tuple(sorted({value for node in self.graph.values()
                             for value in node["inputs"].values()
                             if isinstance(value, str) and value.endswith(".safetensors")}))

    def shape(self):
        found = {}
        for node in self.graph.values():
            for key in ("width", "height", "length", "fps"):
                if key in node["inputs"]:
                    found[key] = node["inputs"][key]
        return found["width"], found["height"], found["length"], round(found["fps"])

    def prefix(self):
        return next(node["inputs"]["filename_prefix"] for node in self.graph.values()
                    if "filename_prefix" in node["inputs"])


class Torch:
    """The memory of one process on the card, by torch's rules."""

    def __init__(self, card):
        self.card = card
        self.models = collections.OrderedDict()  # weights by files, the newest last
        self.working = self.residue = self.cached = 0
        self._show()

    def active(self):
        return sum(self.models.values()) + self.working + self.residue

    def reserved(self):
        return self.active() + self.cached

    def _show(self):
        return self.card.take("comfyui", PID, CONTEXT + self.reserved())

    def allocate(self, mib):
        """From the cache, then from the driver; the cache goes back to it before that fails."""
        from_cache = min(mib, self.cached)
        for taken in (from_cache, self.cached):
            self.cached -= taken
            if self.card.take("comfyui", PID, CONTEXT + self.reserved() + mib):
                return
        there = self.card.total - self.card.others("comfyui")
        raise OutOfMemory(CONTEXT + self.reserved() + mib - there)

    def load(self, files, mib):
        self.allocate(mib)
        self.models[files] = self.models.get(files, 0) + mib
        self._show()

    def work(self, mib):
        if mib > self.working:
            self.allocate(mib - self.working)
        else:
            self.cached += self.working - mib
        self.working = mib
        self._show()

    def give_back_cache(self, share=1.0):
        self.cached -= round(self.cached * share)
        self._show()

    def unload(self, residue=0):
        self.residue = min(RESIDUE_MAX, self.residue + residue)
        self.models.clear()
        self.give_back_cache()


def clip_name(shape):
    width, height, frames, fps = shape
    return f"{width}x{height}-{frames}-at-{fps}.mp4"


def make_clip(shape, file):
    """As PyAV makes it: several slices a picture, no tags of colour."""
    width, height, frames, fps = shape
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
         f"testsrc2=size={width}x{height}:rate={fps}", "-frames:v", str(frames), "-c:v",
         "libx264", "-preset", "ultrafast", "-x264-params", "slices=4", "-threads", "1",
         "-pix_fmt", "yuv420p", str(file)], check=True)


class FakeComfyUI:
    """models: those that it has. seed: of all that it may do one way or another. clips: a folder of
    what it makes, by clip_name(); ffmpeg makes what is not there yet."""

    def __init__(self, card, models, seed, clips, slow=0.03):
        self.card, self.clips, self.slow = card, pathlib.Path(clips), slow
        self.models = {model.files: model for model in models}
        self.random = random.Random(seed)
        self.newer_save_video = self.random.random() < 0.5
        self.lock = threading.RLock()  # protects all that follows
        self.changed = threading.Condition(self.lock)
        self.torch = Torch(card)
        self.queue, self.running, self.history = [], None, {}
        self.numbers = 0
        self.free_at = None
        self.down = False
        self.life = 0  # one more at each restart
        self.files = {}
        # What it saw, for the test.
        self.runs = collections.Counter()  # ended well, by model
        self.made = collections.Counter()  # the same, by the task that the client named
        self.ooms = []
        self.frees = self.restarts = self.most_queued = 0
        self.tiled_runs = self.full_runs = 0
        self.over = False
        self.server = Server(self)
        self.port = self.server.server_address[1]
        self.threads = [threading.Thread(target=self.server.serve_forever, args=(0.05,)),
                        threading.Thread(target=self._work)]
        for thread in self.threads:
            thread.daemon = True
            thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        with self.changed:
            self.over = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        self.threads[1].join()
        self.card.take("comfyui", PID, 0)

    def restart(self, seconds):
        """Its process ends, and with it queue, history and memory; another one begins."""
        with self.changed:
            self.restarts += 1
            self.life += 1
            self.down = True
            self.queue, self.history, self.free_at = [], {}, None
            self.card.take("comfyui", PID, 0)
            self.changed.notify_all()
        time.sleep(seconds)
        with self.changed:
            self.torch = Torch(self.card)
            self.running = None
            self.down = False

    # The worker: one prompt at a time, and what /free asked for between them.
    def _work(self):
        while True:
            with self.changed:
                while not self.over and (self.down or not (self.queue or self._free_due())):
                    self.changed.wait(0.05)
                if self.over:
                    return
                life = self.life
                if self._free_due():
                    self.free_at = None
                    self.torch.unload(self.random.choice((0, 0, 64, 160, 320)))
                    continue
                self.queue.sort(key=lambda prompt: prompt.number)
                prompt = self.running = self.queue.pop(0)
            self._run(prompt, life)

    def _free_due(self):
        return self.free_at is not None and time.monotonic() >= self.free_at

    def _run(self, prompt, life):
        messages = [["execution_start", {"prompt_id": prompt.id}],
                    ["execution_cached", {"nodes": [], "prompt_id": prompt.id}]]
        outputs, status, last = {}, "error", None
        model, missing, others = self.models[prompt.files()], 0, self.card.others("comfyui")
        try:
            self._compute(prompt, model, life)
            outputs = self._save(prompt, life)
            status, last = "success", ["execution_success", {"prompt_id": prompt.id}]
        except OutOfMemory as short:
            missing = short.missing
            last = ["execution_error", {
                "prompt_id": prompt.id, "node_id": "10", "node_type": "VAEDecode", "executed": [],
                "exception_type": "torch.OutOfMemoryError", "traceback": [], "current_inputs": {},
                "exception_message": "Allocation on device 0 would exceed allowed memory. (out of "
                                     "memory)\n\nThis error means you ran out of memory on your "
                                     "GPU."}]
        except Interrupted:
            last = ["execution_interrupted", {"prompt_id": prompt.id}]
        with self.lock:
            if life != self.life:
                return
            self.torch.work(0)
            if last[0] == "execution_error":
                grown = self.card.others("comfyui") - others
                self.ooms.append(Oom(model.files[0], self.runs[model.files], missing, grown))
                self.torch.unload()
            else:
                self.torch.give_back_cache(self.random.choice((0.0, 0.3, 1.0)))
            if status == "success":
                self.runs[model.files] += 1
                self.made[prompt.extra.get("pytoon_task")] += 1
                self.tiled_runs += prompt.tiled()
                self.full_runs += not prompt.tiled()
            self.history[prompt.id] = {
                "prompt": prompt.entry(), "outputs": outputs, "meta": {},
                "status": {"status_str": status, "completed": status == "success",
                           "messages": messages + [last]}}
            self.running = None

    def _pass(self, prompt, life, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.03)
            if life != self.life or self.over or prompt.interrupted:
                raise Interrupted()

    def _step(self, life, change):
        with self.lock:
            if life != self.life:
                raise Interrupted()
            change(self.torch)

    def _compute(self, prompt, model, life):
        with self.lock:
            peak = model.working(prompt.tiled(), self.random)
            missing = model.weights - self.torch.models.get(model.files, 0)
            self.torch.models[model.files] = self.torch.models.pop(model.files, 0)
            self._evict_for(model, missing)
        for i in range(LOAD_STEPS if missing else 0):
            part = missing * (i + 1) // LOAD_STEPS - missing * i // LOAD_STEPS
            self._step(life, lambda torch, part=part: torch.load(model.files, part))
            self._pass(prompt, life, model.load / LOAD_STEPS)
        for share, seconds in ((0.3, model.run * 0.3), (0.6, model.run * 0.3),
                               (1.0, max(0.7, model.run * 0.4))):
            self._step(life, lambda torch, share=share: torch.work(round(peak * share)))
            self._pass(prompt, life, seconds)

    # As load_models_gpu does before it loads: others' weights go where the card is too full.
    def _evict_for(self, model, missing):
        wanted = missing * 1.1 + 819
        for files in list(self.torch.models):
            if missing == 0 or self.card.free() + self.torch.cached >= wanted:
                return
            if files != model.files:
                del self.torch.models[files]
                self.torch.give_back_cache()

    def _save(self, prompt, life):
        data = self.clip(prompt.shape())
        folder, _, name = prompt.prefix().rpartition("/")
        file = f"{name}_00001_.mp4"
        with self.lock:
            if life != self.life:
                raise Interrupted()
            self.files[(folder, file)] = data
        return {"12": {"images": [{"filename": file, "subfolder": folder, "type": "output"}],
                       "animated": [True]}}

    def clip(self, shape):
        file = self.clips / clip_name(shape)
        if not file.exists():
            make_clip(shape, file)
        return file.read_bytes()

    # What is asked over HTTP: (status, type, body).
    def answer(self, method, path, query, body):
        with self.changed:
            self.changed.notify_all()
            if method == "POST":
                return self._order(path, body)
            if path == "/prompt":
                return 200, {"exec_info": {"queue_remaining": self._queued()}}
            if path == "/queue":
                return 200, {"queue_running": [self.running.entry()] if self.running else [],
                             "queue_pending": [prompt.entry() for prompt in self.queue]}
            if path == "/system_stats":
                return 200, self._stats()
            if path == "/history":
                return 200, dict(list(self.history.items())[-int(query.get("max_items", 1000)):])
            if path.startswith("/history/"):
                identity = path.removeprefix("/history/")
                return 200, {k: v for k, v in self.history.items() if k == identity}
            if path.startswith("/object_info/"):
                return 200, self._info(path.removeprefix("/object_info/"))
            if path == "/view":
                file = self.files.get((query.get("subfolder", ""), query.get("filename", "")))
                return (404, b"") if file is None else (200, file)
        return 404, b"404: Not Found"

    def _queued(self):
        return len(self.queue) + (self.running is not None)

    def _info(self, name):
        if name not in CLASSES:
            return {}
        files = sorted({file for known in self.models for file in known})
        inputs = {key: [files, {}] for key in CLASSES[name]}
        if name == "SaveVideo":
            codec = {"codec": ["COMBO", {"options": ["auto", "h264"]}]}
            inputs |= {"format": ["COMFY_DYNAMICCOMBO_V3", {"options": [
                {"key": key, "inputs": {"required": codec}} for key in ("auto", "mp4")]}]} \
                if self.newer_save_video else {"format": ["COMBO", {"options": ["auto", "mp4"]}],
                                               **codec}
        return {name: {"input": {"required": inputs}, "name": name}}

    def _stats(self):
        idle = self.torch.cached
        return {"system": {"os": "posix", "comfyui_version": "0.3.64", "argv": ["main.py"]},
                "devices": [{"name": "cuda:0 Fake GPU : cudaMallocAsync", "type": "cuda",
                             "index": 0, "vram_total": self.card.total * MIB,
                             "vram_free": (self.card.free() + idle) * MIB,
                             "torch_vram_total": self.torch.reserved() * MIB,
                             "torch_vram_free": idle * MIB}]}

    def _order(self, path, body):
        if path == "/upload/image":
            name = body.split(b'filename="', 1)[1].split(b'"', 1)[0].decode()
            return 200, {"name": name, "subfolder": "pytoon", "type": "input"}
        wanted = json.loads(body)
        if path == "/prompt":
            return self._take(wanted)
        if path == "/queue":
            gone = set(wanted.get("delete", ()))
            self.queue = [prompt for prompt in self.queue if prompt.id not in gone]
        elif path == "/history":
            for identity in wanted.get("delete", ()):
                self.history.pop(identity, None)
        elif path == "/interrupt":
            if self.running and wanted.get("prompt_id") == self.running.id:
                self.running.interrupted = True
        elif path == "/free":
            self.frees += 1
            self.free_at = time.monotonic() + self.random.uniform(0.1, 1.5)
        else:
            return 404, b""
        return 200, b""

    def _take(self, wanted):
        graph = wanted["prompt"]
        unknown = [node["class_type"] for node in graph.values()
                   if node["class_type"] not in CLASSES]
        files = Prompt(0, "", graph, {}).files()
        if unknown or files not in self.models:
            return 400, {"error": {"type": "invalid_prompt", "message": f"{unknown} {files}"},
                         "node_errors": {}}
        prompt = Prompt(self.numbers, wanted["prompt_id"], copy.deepcopy(graph),
                        {**wanted.get("extra_data", {}), "client_id": wanted.get("client_id", "")})
        self.numbers += 1
        self.queue.append(prompt)
        self.most_queued = max(self.most_queued, self._queued())
        return 200, {"prompt_id": prompt.id, "number": prompt.number, "node_errors": {}}


# Node classes, each with its inputs that name files of models.
CLASSES = {"UNETLoader": ("unet_name",), "CLIPLoader": ("clip_name",), "VAELoader": ("vae_name",),
           "CheckpointLoaderSimple": ("ckpt_name",),
           **{name: () for name in (
               "LoadImage", "CLIPTextEncode", "ModelSamplingSD3", "Wan22ImageToVideoLatent",
               "KSampler", "VAEDecode", "VAEDecodeTiled", "CreateVideo", "SaveVideo",
               "LTXVImgToVideo", "LTXVConditioning", "LTXVScheduler", "KSamplerSelect",
               "SamplerCustom")}}


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, comfyui):
        self.comfyui = comfyui
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request, client_address):
        """A client that goes away is its own business."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _handle(self):
        comfyui = self.server.comfyui
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with comfyui.lock:
            is_slow = comfyui.random.random() < comfyui.slow
            pause = comfyui.random.uniform(0.2, 1.6) if is_slow else 0
            life = comfyui.life
        time.sleep(pause)
        if comfyui.down or life != comfyui.life:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        status, answer = comfyui.answer(self.command, url.path, query, body)
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if data is not answer else
                         "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _handle
