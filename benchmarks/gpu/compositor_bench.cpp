// Times the compositor, one thread, 1080 x 1920, on every CPU level: one JSON line per scene.
//   compositor_bench [frames]
// ms_per_frame is the median, ms_best the fastest frame; bytes_per_frame is what a scene must read
// of its textures and write of its frame at least once, blends reading the frame as well.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gpu/cpu/cpu_device.h"

namespace pytoon::gpu {
namespace {

constexpr Size kFrame{1080, 1920};
constexpr Rect kWhole{0, 0, 1080, 1920};
constexpr Rect kCaption{90, 1200, 900, 320};
constexpr std::size_t kLumaBytes = std::size_t{1080} * 1920;
constexpr std::size_t kFrameBytes = kLumaBytes * 3 / 2;

using TexturePtr = std::shared_ptr<const Texture>;

RgbaImage noise(Size size, bool opaque) {
  RgbaImage image(size);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    const bool alpha = i % 4 == 3;
    image.pixels[i] = alpha && opaque ? 255 : static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

struct Frame {
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(kFrameBytes);
  HostNv12View view() { return {kFrame, bytes.data(), 1080, bytes.data() + kLumaBytes, 1080}; }
};

// A slow zoom and pan across a texture 1.15 times as large as the frame.
Layer moving(const TexturePtr& texture, int frame) {
  const double step = 1.14 - 0.001 * frame;
  return {texture, {5 + 0.07 * frame, step}, {7 + 0.05 * frame, step}, kWhole, 256};
}

Layer still(const TexturePtr& texture, Rect clip, int opacity_256) {
  return {texture, {double(-clip.x), 1}, {double(-clip.y), 1}, clip, opacity_256};
}

struct Scene {
  std::string name;
  std::size_t bytes_per_frame;
  std::function<Composition(int frame)> at;
};

std::vector<Scene> scenes(Device& device) {
  const auto upload = [&](Size size, bool opaque) {
    return std::move(device.upload(noise(size, opaque)).value());
  };
  const TexturePtr large = upload({1242, 2208}, true);
  const TexturePtr exact = upload(kFrame, true);
  const TexturePtr clear = upload({1242, 2208}, false);
  const TexturePtr caption = upload({kCaption.width, kCaption.height}, false);
  const std::size_t large_bytes = std::size_t{1242} * 2208 * 3 / 2;
  const std::size_t caption_bytes = std::size_t{900} * 320 * 3 / 2;
  return {
      {"opaque_bicubic", large_bytes + kFrameBytes,
       [=](int i) {
         return Composition{{moving(large, i)}, {}, 0, {}};
       }},
      {"opaque_identity", 2 * kFrameBytes,
       [=](int) {
         return Composition{{still(exact, kWhole, 256)}, {}, 0, {}};
       }},
      {"alpha_bicubic", 2 * large_bytes + 2 * kFrameBytes,
       [=](int i) {
         return Composition{{moving(clear, i)}, {}, 0, {}};
       }},
      {"caption_only", 4 * caption_bytes + kFrameBytes,
       [=](int) {
         return Composition{{}, {}, 0, {still(caption, kCaption, 256)}};
       }},
      {"caption_fading_only", 4 * caption_bytes + kFrameBytes,
       [=](int) {
         return Composition{{}, {}, 0, {still(caption, kCaption, 100)}};
       }},
      {"black_only", kFrameBytes, [=](int) { return Composition{}; }},
      {"crossfade_bicubic", 2 * large_bytes + 5 * kFrameBytes,
       [=](int i) {
         return Composition{{moving(large, i)}, {moving(large, i + 9)}, 64, {}};
       }},
      {"crossfade_identity", 7 * kFrameBytes,
       [=](int) {
         return Composition{{still(exact, kWhole, 256)}, {still(exact, kWhole, 256)}, 64, {}};
       }},
  };
}

struct Times {
  double median_ms;
  double best_ms;
};

Times time_frames(int frames, const std::function<bool(int frame)>& work) {
  const SystemClock clock;
  std::vector<double> ms;
  for (int i = 0; i < frames; ++i) {
    const SteadyTime start = clock.steady_now();
    if (!work(i % 40)) std::exit(1);
    const std::chrono::duration<double, std::milli> spent = clock.steady_now() - start;
    ms.push_back(spent.count());
  }
  std::sort(ms.begin(), ms.end());
  return {ms[ms.size() / 2], ms.front()};
}

void print(const std::string& scene, Device& device, Times times, std::size_t bytes) {
  std::printf(
      "{\"scene\":\"%s\",\"device\":\"%s\",\"ms_per_frame\":%.3f,"
      "\"ms_best\":%.3f,\"bytes_per_frame\":%zu}\n",
      scene.c_str(), device.description().c_str(), times.median_ms, times.best_ms, bytes);
}

void run(int frames) {
  for (const std::string& level : cpu_levels()) {
    const std::unique_ptr<Device> device = make_cpu_device(level);
    const std::unique_ptr<Compositor> compositor = device->make_compositor();
    Frame frame;
    for (const Scene& scene : scenes(*device)) {
      const Times times = time_frames(
          frames, [&](int i) { return compositor->compose(scene.at(i), frame.view()).ok(); });
      print(scene.name, *device, times, scene.bytes_per_frame);
    }
  }
  const std::unique_ptr<Device> device = make_cpu_device();
  for (const bool opaque : {true, false}) {
    const RgbaImage image = noise(kFrame, opaque);
    const Times times = time_frames(frames, [&](int) { return device->upload(image).ok(); });
    print(opaque ? "upload_opaque" : "upload_alpha", *device, times,
          kLumaBytes * 4 + kFrameBytes * (opaque ? 1 : 2));
  }
}

}  // namespace
}  // namespace pytoon::gpu

int main(int argc, char** argv) {
  const int frames = argc > 1 ? std::atoi(argv[1]) : 100;
  pytoon::gpu::run(std::max(frames, 1));
}
