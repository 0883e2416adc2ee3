// Times a device's compositor on scenes such as films have, in three sizes; prints one JSON object.
//   device_bench cpu|cuda [seconds per scene [scene [frames a batch]]]
// With a scene's name it measures that one alone, at 1080x1920, into device memory on cuda.
//
// frames_per_s      composed and complete, one after the other, on one compositor; on cuda into
//                   device memory (`device`) and down to the host (`host`), and in batches
//                   (`device_batched`, `host_batched`) of `batch` frames
// composed_per_s    the best of those: what the device can do
// bytes_per_frame   compulsory: texels that the frame's layers cover, read once, and the frame,
//                   written once
// gb_per_s          those bytes times frames_per_s; share_of_copy against a plain copy in the same
//                   memory, measured in this run, counted as bytes read plus bytes written
// crossings         frames that crossed to the host, per frame drawn
// memory_bytes      device memory that one segment of the scene holds
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda.h"
#include "gpu/memory_layout.h"
#include "tests/gpu/cuda/real_cuda_api.h"
#include "tests/gpu/showcase.h"

namespace pytoon::gpu {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kSizes[] = {0.5, 1, 2};

struct Wish {
  double seconds = 1;
  std::string scene;      // "" is all of them, in all sizes
  std::size_t batch = 0;  // frames; 0 is the device's own
};

int fail(const std::string& reason) {
  std::cerr << "device_bench: " << reason << "\n";
  return 1;
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(clock_.steady_now() - start_).count();
  }

 private:
  const SystemClock clock_;
  const SteadyTime start_ = clock_.steady_now();
};

// Calls work(i) for at least that long; calls a second, or 0 when one failed.
double pace(double seconds, const std::function<bool(int)>& work) {
  for (int i = 0; i < 3; ++i) {
    if (!work(i)) return 0;
  }
  const Stopwatch watch;
  int count = 0;
  while (count < 5 || watch.seconds() < seconds) {
    if (!work(count++)) return 0;
  }
  return count / watch.seconds();
}

// Device memory, when there is a api; else none.
class DeviceMemory {
 public:
  explicit DeviceMemory(cuda::CudaApi* api) : api_(api) {}
  ~DeviceMemory() {
    for (void* block : blocks_) api_->release(block);
  }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  std::uint8_t* take(std::size_t bytes) {
    Result<void*> block = api_->allocate(bytes);
    if (!block) return nullptr;
    blocks_.push_back(*block);
    return static_cast<std::uint8_t*>(*block);
  }

 private:
  cuda::CudaApi* const api_;
  std::vector<void*> blocks_;
};

// Bytes read plus bytes written a second by a plain copy.
double copy_bytes_per_s(cuda::CudaApi* api, double seconds) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  if (api == nullptr) {
    std::vector<std::uint8_t> from(kBytes, 1);
    std::vector<std::uint8_t> to(kBytes);
    const double copies = pace(seconds, [&](int i) {
      from[0] = static_cast<std::uint8_t>(i);
      std::memcpy(to.data(), from.data(), kBytes);
      return to[0] == from[0];
    });
    return copies * 2 * kBytes;
  }
  DeviceMemory memory(api);
  std::uint8_t* from = memory.take(kBytes);
  std::uint8_t* to = memory.take(kBytes);
  Result<cuda::Stream> stream = api->make_stream();
  if (from == nullptr || to == nullptr || !stream) return 0;
  const double copies = pace(seconds, [&](int) {
    return api->queue({cuda::CopyDirection::kOnDevice, to, kBytes, from, kBytes, kBytes, 1},
                      *stream) &&
           api->wait(*stream);
  });
  api->destroy_stream(*stream);
  return copies * 2 * kBytes;
}

// Colour and alpha of a texture, in bytes a pixel: see gpu/cuda/cuda_texture.h.
double texel_bytes(const Texture& texture) { return texture.opaque() ? 1.5 : 2.75; }

double layer_bytes(const Layer& layer, Size frame) {
  const auto covered = [](int begin, int length, int size, double step, int texels) {
    const int end = std::min(begin + length, size);
    return std::min<double>(std::max(0, end - std::max(begin, 0)) * step, texels);
  };
  const Size size = layer.texture->size();
  return covered(layer.clip.x, layer.clip.width, frame.width, layer.x.step, size.width) *
         covered(layer.clip.y, layer.clip.height, frame.height, layer.y.step, size.height) *
         texel_bytes(*layer.texture);
}

double frame_bytes(const Composition& composition, Size frame) {
  double bytes = 1.5 * frame.width * frame.height;
  for (const auto* layers : {&composition.base, &composition.incoming, &composition.top}) {
    for (const Layer& layer : *layers) bytes += layer_bytes(layer, frame);
  }
  return bytes;
}

// Frames of one size in one kind of memory.
using Targets = std::vector<Nv12Target>;

// The moving layers move.
void advance(Composition& composition, int frame) {
  for (auto* layers : {&composition.base, &composition.incoming}) {
    for (Layer& layer : *layers) {
      if (layer.x.step != 1) layer.x.origin += frame % 2 == 0 ? 0.07 : -0.07;
    }
  }
}

// Batches of as many frames as there are targets.
Json measure(Device& device, Compositor& compositor, const Composition& composition,
             const Targets& targets, double seconds) {
  const Size size = std::visit([](const auto& view) { return view.size; }, targets[0]);
  std::vector<Composition> compositions(targets.size(), composition);
  std::vector<FrameRequest> batch;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    batch.push_back({&compositions[i], targets[i]});
  }
  const std::uint64_t crossings = device.crossings();
  int frames = 0;
  const double rate = pace(seconds,
                           [&](int) {
                             for (Composition& one : compositions) advance(one, frames++);
                             return compositor.compose_batch(batch).ok();
                           }) *
                      static_cast<double>(targets.size());
  const double crossed = static_cast<double>(device.crossings() - crossings);
  return {{"frames_per_s", rate},
          {"gb_per_s", rate * frame_bytes(composition, size) / 1e9},
          {"crossings", crossed / frames}};
}

template <Memory M>
Targets targets_in(std::uint8_t* memory, Size size, std::size_t count) {
  const auto width = static_cast<std::size_t>(size.width);
  const std::size_t luma_bytes = width * static_cast<std::size_t>(size.height);
  Targets targets;
  for (std::size_t i = 0; i < count; ++i, memory += luma_bytes * 3 / 2) {
    targets.push_back(Nv12View<M>{size, memory, width, memory + luma_bytes, width});
  }
  return targets;
}

// One frame at a time, then batches.
template <Memory M>
void measure_into(std::uint8_t* memory, const char* name, Device& device,
                  const Composition& composition, Size size, std::size_t batch, double seconds,
                  Json& json) {
  const auto compositor = device.make_compositor();
  json[name] = measure(device, *compositor, composition, targets_in<M>(memory, size, 1), seconds);
  double best = json[name]["frames_per_s"];
  if (batch > 1) {
    const std::string batched = std::string(name) + "_batched";
    json[batched] =
        measure(device, *compositor, composition, targets_in<M>(memory, size, batch), seconds);
    best = std::max<double>(best, json[batched]["frames_per_s"]);
  }
  json["composed_per_s"] = std::max(json.value("composed_per_s", 0.0), best);
}

Json measure_scene(Device& device, cuda::CudaApi* api, const NamedScene& named, double copy,
                   const Wish& wish) {
  const Size size = named.scene.frame;
  const std::size_t batch =
      wish.batch != 0 ? wish.batch : static_cast<std::size_t>(device.batch_frames());
  const std::size_t bytes =
      static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3 / 2 * batch;
  const std::uint64_t before = device.memory_use().value_or(MemoryUse{}).used_bytes;
  const Composition composition = on_device(device, named.scene);
  Json json{{"scene", named.name},
            {"size", std::to_string(size.width) + "x" + std::to_string(size.height)},
            {"batch", batch},
            {"bytes_per_frame", frame_bytes(composition, size)}};
  if (api != nullptr) {
    json["memory_bytes"] = device.memory_use()->used_bytes - before;
    DeviceMemory memory(api);
    std::uint8_t* frames = memory.take(bytes);
    if (frames == nullptr) return {{"scene", named.name}, {"fault", "no device memory"}};
    measure_into<Memory::kCuda>(frames, "device", device, composition, size, batch, wish.seconds,
                                json);
  }
  if (api == nullptr || wish.scene.empty()) {
    std::vector<std::uint8_t> frames(bytes);
    measure_into<Memory::kHost>(frames.data(), "host", device, composition, size, batch,
                                wish.seconds, json);
  }
  const double moved = json["composed_per_s"].get<double>() * frame_bytes(composition, size);
  json["share_of_copy"] = copy > 0 ? moved / copy : 0;
  return json;
}

int run(const std::string& kind, const Wish& wish) {
  std::unique_ptr<Device> device = make_cpu_device();
  std::unique_ptr<cuda::CudaApi> api;
  if (kind == "cuda") {
    Result<std::unique_ptr<Device>> made = make_cuda_device({});
    if (!made) return fail(made.failure().detail);
    Result<std::unique_ptr<cuda::CudaApi>> opened = cuda::make_real_cuda_api();
    if (!opened) return fail(opened.failure().detail);
    device = std::move(*made);
    api = std::move(*opened);
  } else if (kind != "cpu") {
    return fail("the device is cpu or cuda");
  }
  const double copy = copy_bytes_per_s(api.get(), wish.seconds);
  Json json{{"benchmark", "gpu/device_bench"},
            {"kind", device->kind()},
            {"device", device->description()},
            {"copy_gb_per_s", copy / 1e9},
            {"scenes", Json::array()}};
  for (const double size : kSizes) {
    if (!wish.scene.empty() && size != 1) continue;
    for (const NamedScene& named : showcase_scenes(size)) {
      if (!wish.scene.empty() && named.name != wish.scene) continue;
      json["scenes"].push_back(measure_scene(*device, api.get(), named, copy, wish));
    }
  }
  if (json["scenes"].empty()) return fail("there is no scene " + wish.scene);
  std::cout << json.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace pytoon::gpu

int main(int argc, char** argv) {
  pytoon::gpu::Wish wish;
  if (argc > 2) wish.seconds = std::max(std::atof(argv[2]), 0.01);
  if (argc > 3) wish.scene = argv[3];
  if (argc > 4) {
    wish.batch = std::clamp<std::size_t>(std::strtoul(argv[4], nullptr, 10), 1,
                                         pytoon::gpu::kBatchFramesMax);
  }
  return pytoon::gpu::run(argc > 1 ? argv[1] : "cpu", wish);
}
