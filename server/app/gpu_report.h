// What doctor says of the cards as the driver tells them, and of a ComfyUI beside us on one: pure
// functions from what was measured to sentences.
//
// Thread rule: pure.
#pragma once

#include <string>
#include <vector>

#include "engines/comfyui/comfy_server.h"
#include "gpu/telemetry.h"
#include "server/app/headroom_advice.h"

namespace pytoon::app {

// One card's memory, the programs on it, its encoder sessions, and what could be promised of it.
// own_pid: of this process, as the driver counts.
std::string describe(const gpu::GpuReading& gpu, std::uint32_t own_pid);

// "ComfyUI 0.3.60, dynamic VRAM, 22.0 GiB of 24.0 GiB free ..."
std::string describe(const engines::ComfyServer::Memory& memory);
// What is wrong with how it was started, each with what to do; none when it leaves our segments
// their room.
std::vector<std::string> findings_of(const engines::ComfyServer::Memory& memory,
                                     const HeadroomAdvice& advice);

}  // namespace pytoon::app
