#include "server/app/gpu_report.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "server/jobs/admission/decision.h"

namespace pytoon::app {

using engines::ComfyServer;
using jobs::admission::Bytes;
using jobs::admission::kGiB;
using jobs::admission::size_text;

namespace {

constexpr std::size_t kProgramsShown = 8;

std::string size(std::uint64_t bytes) { return size_text(static_cast<Bytes>(bytes)); }

std::string describe(const gpu::GpuProcess& process, std::uint32_t own_pid) {
  return (process.pid == own_pid ? "this process " : "pid " + std::to_string(process.pid) + " ") +
         (process.used_bytes ? size(*process.used_bytes) : "that can't be told");
}

std::string programs_on(const gpu::GpuReading& gpu, std::uint32_t own_pid) {
  if (gpu.processes.empty()) return "no program has a context on it";
  std::string text = "on it: ";
  for (std::size_t i = 0; i < std::min(gpu.processes.size(), kProgramsShown); ++i) {
    text += (i == 0 ? "" : ", ") + describe(gpu.processes[i], own_pid);
  }
  if (gpu.processes.size() <= kProgramsShown) return text;
  return text + " and " + std::to_string(gpu.processes.size() - kProgramsShown) + " more";
}

// The value of "--flag 2.5" or "--flag=2.5"; 0 where it has none.
std::optional<double> flag_of(const std::vector<std::string>& arguments, const std::string& flag) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with(flag + "=")) {
      return std::strtod(arguments[i].c_str() + flag.size() + 1, nullptr);
    }
    if (arguments[i] != flag) continue;
    return i + 1 < arguments.size() ? std::strtod(arguments[i + 1].c_str(), nullptr) : 0;
  }
  return std::nullopt;
}

bool has(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
}

}  // namespace

std::string describe(const gpu::GpuReading& gpu, std::uint32_t own_pid) {
  std::string text = gpu.uuid + (gpu.name.empty() ? "" : " (" + gpu.name + ")");
  if (!gpu.parent_uuid.empty()) text += ", a MIG instance of " + gpu.parent_uuid;
  text += ": " + size(gpu.free_bytes) + " of " + size(gpu.total_bytes) + " free, " +
          size(gpu.reserved_bytes) + " the driver's own; " + programs_on(gpu, own_pid);
  text += gpu.encoder_sessions ? "; encoder sessions open: " + std::to_string(*gpu.encoder_sessions)
                               : "; its encoder sessions can't be told";
  return text + "; less a headroom of " + size(gpu::kHeadroomBytes) + ", tasks could be promised " +
         size(gpu::promisable_bytes(gpu));
}

std::string describe(const ComfyServer::Memory& memory) {
  std::string text = "ComfyUI " + (memory.version.empty() ? "of no version" : memory.version);
  if (!memory.cuda) return text + ", computes on the CPU: it takes no memory of a card";
  text += memory.dynamic_vram ? ", dynamic VRAM" : ", without dynamic VRAM";
  return text + ", " + size_text(memory.free_bytes) + " of " + size_text(memory.total_bytes) +
         " free on its card; torch keeps " + size_text(memory.reserved_bytes);
}

std::vector<std::string> findings_of(const ComfyServer::Memory& memory,
                                     const HeadroomAdvice& advice) {
  std::vector<std::string> findings;
  if (!memory.cuda) return findings;
  for (const char* keeps : {"--highvram", "--gpu-only"}) {
    if (!has(memory.arguments, keeps)) continue;
    findings.push_back(std::string("is started with ") + keeps +
                       ", which keeps models on the card: start it without");
  }
  if (advice.bytes == 0) return findings;
  const std::string flag = memory.dynamic_vram ? "--vram-headroom" : "--reserve-vram";
  const std::optional<double> given = flag_of(memory.arguments, flag);
  if (given && *given * static_cast<double>(kGiB) >= static_cast<double>(advice.bytes)) {
    return findings;
  }
  std::string is = given ? "leaves less free than our segments may need" : "lacks " + flag;
  findings.push_back(is + ": start it with " + flag + " " + advice.gib() + " (" + advice.reason +
                     ")");
  return findings;
}

}  // namespace pytoon::app
