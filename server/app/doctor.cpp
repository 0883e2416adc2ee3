#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <set>

#include "base/curl_client.h"
#include "base/files.h"
#include "engines/clip_verifier.h"
#include "engines/engine_registry.h"
#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda.h"
#include "gpu/nvml/nvml.h"
#include "pipeline/media/image/image_file.h"
#include "server/app/backends.h"
#include "server/app/commands.h"
#include "server/app/gpu_report.h"
#include "server/app/headroom_advice.h"
#include "server/app/render_stack.h"
#include "server/io/open_store.h"
#include "server/io/redis/wakeup_channel.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

class Report {
 public:
  void ok(const std::string& name, const std::string& detail) { line("ok", name, detail); }
  void bad(const std::string& name, const std::string& detail) {
    line("FAIL", name, detail);
    healthy_ = false;
  }
  void note(const std::string& name, const std::string& detail) { line("note", name, detail); }
  bool healthy() const { return healthy_; }

 private:
  static void line(const char* mark, const std::string& name, const std::string& detail) {
    std::cout << std::left << std::setw(6) << mark << std::setw(11) << name << detail << "\n";
  }
  bool healthy_ = true;
};

std::string gib(std::uintmax_t bytes) {
  return std::to_string(bytes / (1024 * 1024 * 1024)) + " GiB";
}

void check_cpu(const Config& config, Report& report) {
  const auto device = gpu::make_cpu_device();
  report.ok("cpu", device->description() + ", " + std::to_string(config.worker_concurrency) +
                       " segments at once");
}

std::string as_cuda_sees(const gpu::CudaGpu& gpu) {
  return "GPU " + std::to_string(gpu.ordinal) + ": " + gpu.name + ", compute " +
         std::to_string(gpu.capability_major) + "." + std::to_string(gpu.capability_minor) + ", " +
         gib(gpu.free_bytes) + " of " + gib(gpu.total_bytes) + " free, " + gpu.uuid;
}

// A GPU is a gift; only PYTOON_DEVICE=cuda makes its want a fault.
void check_cuda(const Config& config, Report& report) {
  if (config.device == gpu::DevicePreference::kCpu) {
    report.note("cuda", "not looked for: PYTOON_DEVICE=cpu");
    return;
  }
  const bool needed = config.device == gpu::DevicePreference::kCuda;
  const gpu::CudaFinding finding = gpu::find_cuda_devices();
  if (finding.gpus.empty()) {
    if (needed) {
      report.bad("cuda", finding.absent_because);
    } else {
      report.note("cuda", finding.absent_because + "; frames are composed on the CPU");
    }
    return;
  }
  for (const gpu::CudaGpu& gpu : finding.gpus) {
    if (gpu.fault.empty()) {
      report.ok("cuda", as_cuda_sees(gpu) + "; the driver runs CUDA " + finding.driver_version +
                            ", this build has " + finding.toolkit);
    } else if (needed && gpu.ordinal == 0) {
      report.bad("cuda", as_cuda_sees(gpu) + ": " + gpu.fault);
    } else {
      report.note("cuda", as_cuda_sees(gpu) + ": " + gpu.fault);
    }
  }
}

// What the driver says of each GPU's memory, before this process has a context on any.
void check_gpu_memory(const Config& config, Report& report) {
  if (config.device == gpu::DevicePreference::kCpu) return;
  const auto reader = gpu::open_nvml();
  const auto gpus =
      reader ? (*reader)->read() : Result<std::vector<gpu::GpuReading>>(reader.failure());
  if (!gpus) {
    report.note("telemetry", gpus.failure().detail +
                                 ": of other programs, MIG and encoder sessions nothing is known");
    return;
  }
  report.ok("telemetry",
            "NVML answers; GPUs, of which a MIG instance is one: " + std::to_string(gpus->size()));
  for (const gpu::GpuReading& gpu : *gpus) {
    if (gpu.fault.empty()) {
      report.ok("gpu memory", describe(gpu, static_cast<std::uint32_t>(::getpid())));
    } else {
      report.note("gpu memory", gpu.uuid + ": " + gpu.fault);
    }
  }
}

// NVENC was tried when the render stack was opened.
void check_encoders(const media::EncoderChoice& encoders, Report& report) {
  for (const media::EncoderOption& option : encoders.options) {
    const media::EncoderSettings& settings = option.settings;
    const std::string name = settings.codec + " " + settings.preset;
    if (!option.unavailable.empty()) {
      report.note("encoder", name + ": " + option.unavailable);
      continue;
    }
    const Status probed =
        settings.takes_cuda_frames() ? ok_status() : media::probe_encoder(settings.codec);
    if (probed) {
      report.ok("encoder", name + ", real frames encoded");
    } else {
      report.bad("encoder", name + ": " + probed.failure().detail);
    }
  }
}

void check_fonts(const Config& config, const media::FontLibrary& fonts, Report& report) {
  for (const std::string& family : fonts.missing_families()) {
    report.bad("fonts", family + " is missing: run scripts/setup");
  }
  std::set<std::string> families;
  for (const auto& [id, preset] : config.catalogue.presets) {
    families.insert(preset.caption_style.font);
  }
  std::string installed;
  for (const std::string& family : families) {
    if (const auto other = fonts.substitution(family)) {
      report.note("fonts", other->wanted + " is not installed: " + other->used + " stands in");
    } else {
      installed += (installed.empty() ? "" : ", ") + family;
    }
  }
  report.ok("fonts", installed);
}

// What all workers together have spent on engines.
void check_spend(const Config& config, engines::SpendLedger& ledger, Report& report) {
  if (!engines::costs_money(config.engines)) return;
  const Result<std::int64_t> spent = ledger.spent_today_micro_usd();
  if (!spent) return report.bad("spend", spent.failure().detail);
  report.ok("spend", engines::usd_text(*spent) + " of " +
                         engines::usd_text(config.engines.caps.per_day_micro_usd) + " today");
}

void check_database(const Config& config, Clock& clock, Report& report) {
  const std::string place = config.database_url.shown;
  const auto store = open_record(config, clock);
  if (!store && store.failure().kind == FailureKind::kConflict) {
    report.note("database", store.failure().detail);
    return;
  }
  const Status probed = store ? (*store)->probe() : Status(store.failure());
  if (probed) {
    report.ok("database", place);
    check_spend(config, **store, report);
  } else {
    report.bad("database", probed.failure().detail);
  }
}

void check_webhooks(const Config& config, Report& report) {
  if (config.webhook_keys.empty()) {
    report.note("webhooks", config.production ? "off: WEBHOOK_SECRET is not set"
                                              : "signed with this installation's own secret");
  } else {
    report.ok("webhooks", std::to_string(config.webhook_keys.size()) + " secret(s)");
  }
}

// Without Redis jobs start a little later: its want is a note.
void check_redis(const Config& config, Report& report) {
  if (!config.redis) {
    report.note("redis", "not used: REDIS_URL is not set; workers ask the database every second");
    return;
  }
  auto connection = io::RedisConnection::open(*config.redis, {});
  const Status answered = connection ? io::ping(*connection) : Status(connection.failure());
  if (answered) {
    report.ok("redis", config.redis->text());
  } else {
    report.note("redis", config.redis->text() + ": " + answered.failure().detail);
  }
}

void check_bucket(const Config& config, Clock& clock, Report& report) {
  CurlClient web;
  const auto storage = open_storage(config, false, web, clock);
  const Status writable = storage ? (*storage)->writable() : Status(storage.failure());
  if (writable) {
    report.ok("storage", config.s3->host + ", bucket " + config.s3->bucket);
  } else {
    report.bad("storage", writable.failure().detail);
  }
}

void check_storage(const Config& config, Clock& clock, Report& report) {
  if (config.s3) return check_bucket(config, clock, report);
  std::error_code error;
  fs::create_directories(config.storage_root, error);
  const fs::path probe = config.storage_root / ".tmp-doctor";
  const Status written = write_file_atomically(probe, "doctor");
  fs::remove(probe, error);
  if (!written) {
    report.bad("storage", written.failure().detail);
    return;
  }
  const fs::space_info space = fs::space(config.storage_root, error);
  report.ok("storage", config.storage_root.string() + ", " + gib(space.available) + " free");
}

// How much a ComfyUI on a card of ours must leave free. Only where there is a card, or a ComfyUI
// that may be on one.
HeadroomAdvice check_headroom(const Config& config, const RenderStack& stack, Report& report) {
  const bool beside = std::any_of(config.engines.comfyui.begin(), config.engines.comfyui.end(),
                                  [](const auto& comfyui) { return !comfyui.remote; });
  if (!stack.device->cuda_handles() && !beside) return {};
  render::Renderer& renderer = stack.choice ? *stack.choice : *stack.on_device;
  const LargestSegment largest =
      largest_segment(config.catalogue, renderer, config.gpu_pieces_per_segment);
  HeadroomAdvice advice = advise_headroom(largest, config.worker_concurrency);
  if (advice.bytes == 0) {
    report.note("headroom", advice.reason);
  } else {
    report.ok("headroom",
              "a ComfyUI on a card that composes for us should be started with "
              "--vram-headroom " +
                  advice.gib() + ": " + advice.reason);
  }
  return advice;
}

// Each ComfyUI that may share a card with us: what it has of it, and how it was started.
void check_comfyui(const std::vector<engines::ComfyServer*>& servers, const HeadroomAdvice& advice,
                   const engines::Watch& watch, Report& report) {
  for (engines::ComfyServer* const server : servers) {
    const auto memory = server->memory(watch);
    const std::string origin = server->base().origin + ": ";
    if (!memory) {
      report.note("comfyui", origin + memory.failure().detail);
      continue;
    }
    report.ok("comfyui", origin + describe(*memory));
    for (const std::string& finding : findings_of(*memory, advice)) {
      report.note("comfyui", origin + finding);
    }
  }
}

// Footage by models is never needed for the main job: what is wrong is a note.
void check_engines(const Config& config, const HeadroomAdvice& advice, media::FileDecoder& decoder,
                   Clock& clock, Log& log, Report& report) {
  const auto ledger = io::open_memory_store(clock);  // nothing is ordered here
  auto room = engines::EngineRegistry::open(config.engines, *ledger, clock, log,
                                            engines::clip_verifier(decoder));
  if (!room) {
    report.bad("engines", room.failure().detail);
    return;
  }
  for (const auto& engine : (*room)->engine_chain().engines()) {
    engines::Watch watch;
    watch.deadline = clock.steady_now() + config.engines.engine_chain.health;
    const engines::ComfyEngine::Findings found = (*room)->find_problems(*engine, watch);
    const std::string name(engine->name());
    // Trying a key costs money.
    if (found.usable) report.ok("engine", name + (engine->remote() ? ", its key not tried" : ""));
    for (const std::string& problem : found.problems) report.note("engine", name + ": " + problem);
  }
  engines::Watch watch;
  watch.deadline = clock.steady_now() + config.engines.engine_chain.health;
  check_comfyui((*room)->comfyui_servers(), advice, watch, report);
}

// Whether a file can be decoded where it can do no harm.
void check_decoder(const Config& config, media::FileDecoder& decoder, Report& report) {
  const fs::path probe = temporary_beside(config.cache_dir / "probe.png");
  Status done = create_private_folders(config.cache_dir);
  if (done) done = media::write_png(gpu::RgbaImage({16, 16}, {1, 2, 3, 255}), probe);
  if (done) {
    const auto info = decoder.inspect(media::FileKind::kImage, probe);
    if (!info) done = info.failure();
  }
  std::error_code error;
  fs::remove(probe, error);
  if (!done) return report.bad("decoders", done.failure().detail);
  report.ok("decoders", "files are decoded in confined processes, " +
                            std::to_string(config.decoder_processes) + " at once");
}

}  // namespace

int doctor(const Config& config) {
  SystemClock clock;
  Log log(clock, std::cerr, LogLevel::kWarning);
  Report report;
  report.ok("config", config.config_dir.string() + ", " +
                          std::to_string(config.catalogue.presets.size()) + " presets");
  check_cpu(config, report);
  check_gpu_memory(config, report);
  check_cuda(config, report);
  const std::shared_ptr<media::FileDecoder> decoder = confined_decoder(config);
  const Result<RenderStack> stack = open_render_stack(config, log, decoder);
  HeadroomAdvice advice;
  if (stack) {
    advice = check_headroom(config, *stack, report);
    check_encoders(stack->encoders, report);
    check_fonts(config, *stack->fonts, report);
    check_decoder(config, *decoder, report);
  } else {
    report.bad("media", stack.failure().detail);
  }
  check_database(config, clock, report);
  check_storage(config, clock, report);
  check_redis(config, report);
  check_engines(config, advice, *decoder, clock, log, report);
  check_webhooks(config, report);
  std::cout << (report.healthy() ? "The main job can run here.\n"
                                 : "The main job can't run here: see FAIL above.\n");
  return report.healthy() ? 0 : 1;
}

}  // namespace pytoon::app
