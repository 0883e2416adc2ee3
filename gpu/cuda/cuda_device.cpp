#include "gpu/cuda/cuda_device.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "gpu/cuda/cuda_compositor.h"
#include "gpu/cuda/cuda_texture.h"
#include "gpu/layer_geometry.h"
#include "gpu/pixel_math.h"

namespace pytoon::gpu::cuda {
namespace {

using TexturePtr = std::shared_ptr<const Texture>;
using UploadStreamPtr = std::shared_ptr<const OwnedStream>;  // of a device and all its accounts

// Kernels count a plane's bytes in 32 bits.
Status check_plane(Size size, std::size_t pitch_bytes) {
  constexpr std::size_t kBytesMax = std::numeric_limits<std::uint32_t>::max();
  if (pitch_bytes <= kBytesMax / static_cast<std::size_t>(size.height)) return ok_status();
  return failure(FailureKind::kTooLarge, "an image of " + std::to_string(size.width) + " x " +
                                             std::to_string(size.height) +
                                             " pixels is too large for the GPU; use a smaller one");
}

class CudaDevice final : public Device {
 public:
  CudaDevice(CudaContextPtr context, MemoryAccountPtr account, UploadStreamPtr uploads)
      : context_(std::move(context)), account_(std::move(account)), uploads_(std::move(uploads)) {}
  ~CudaDevice() override {
    if (!account_->is_root()) context_->api->trim();
  }
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  std::string kind() const override { return "cuda"; }
  std::string description() const override { return context_->api->description(); }
  Result<TexturePtr> upload(const RgbaImage& image) override;
  Result<TexturePtr> adopt(const Nv12Frame& frame) override;
  std::unique_ptr<Compositor> make_compositor() override {
    return std::make_unique<CudaCompositor>(context_, account_);
  }
  std::optional<CudaHandles> cuda_handles() const override { return context_->api->handles(); }
  Status check() const override { return context_->api->check(); }
  int batch_frames() const override { return kCudaBatchFrames; }
  std::unique_ptr<Device> open_account(std::string owner,
                                       std::optional<std::uint64_t> budget_bytes) override {
    return std::make_unique<CudaDevice>(
        context_, MemoryAccount::open(account_, std::move(owner), budget_bytes), uploads_);
  }
  void set_memory_budget(std::optional<std::uint64_t> bytes) override {
    account_->set_budget(bytes);
  }
  std::optional<MemoryUse> memory_use() const override { return account_->use(); }
  std::vector<MemoryUse> memory_accounts() const override { return account_->all_accounts(); }
  std::uint64_t reserved_bytes() const override { return context_->api->reserved_bytes(); }
  std::uint64_t crossings() const override { return context_->crossings.load(); }

 private:
  Status convert(const RgbaImage& image, const DeviceBlock& pixels, const DeviceBlock& planes,
                 bool opaque);
  Status copy_frame(const Nv12Frame& frame, const DeviceBlock& planes);
  // Waits even when not all could be queued, so that memory may go.
  Status finish(Status queued) {
    const Status waited = context_->api->wait(uploads_->get());
    return queued ? waited : queued;
  }

  const CudaContextPtr context_;
  const MemoryAccountPtr account_;
  const UploadStreamPtr uploads_;
};

Result<TexturePtr> CudaDevice::upload(const RgbaImage& image) {
  const Size size = image.size;
  CHECK(size.width > 0 && size.height > 0, "an image needs pixels");
  CHECK(image.pixels.size() ==
            static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 4,
        "an image's bytes match its size");
  const bool opaque = is_opaque(image);
  const TextureLayout layout = texture_layout(size, opaque);
  const Status fits = check_plane(size, layout.luma_pitch_bytes);
  if (!fits) return fits.failure();
  Result<DeviceBlock> planes = allocate(context_, account_, layout.bytes, "an image");
  if (!planes) return planes.failure();
  Result<DeviceBlock> pixels =
      allocate(context_, account_, image.pixels.size(), "an image's pixels");
  if (!pixels) return pixels.failure();
  const Status done = finish(convert(image, *pixels, *planes, opaque));
  if (!done) return done.failure();
  return TexturePtr(
      std::make_shared<CudaTexture>(size, opaque, content_of(image, opaque), std::move(*planes)));
}

Status CudaDevice::convert(const RgbaImage& image, const DeviceBlock& pixels,
                           const DeviceBlock& planes, bool opaque) {
  const std::size_t bytes = image.pixels.size();
  const std::size_t row_bytes = bytes / static_cast<std::size_t>(image.size.height);
  const Status sent =
      context_->api->queue({CopyDirection::kToDevice, pixels.data(), row_bytes, image.pixels.data(),
                            row_bytes, row_bytes, static_cast<std::size_t>(image.size.height)},
                           uploads_->get());
  if (!sent) return sent;
  const TextureLayout layout = texture_layout(image.size, opaque);
  ConvertJob job;
  job.rgba = pixels.data();
  job.size = image.size;
  job.luma = planes.data() + layout.luma;
  job.chroma = planes.data() + layout.chroma;
  job.luma_pitch_bytes = layout.luma_pitch_bytes;
  job.chroma_pitch_bytes = layout.chroma_pitch_bytes;
  if (!opaque) {
    job.luma_alpha = planes.data() + layout.luma_alpha;
    job.chroma_alpha = planes.data() + layout.chroma_alpha;
    job.chroma_alpha_pitch_bytes = layout.chroma_alpha_pitch_bytes;
  }
  return context_->api->queue(job, uploads_->get());
}

Result<TexturePtr> CudaDevice::adopt(const Nv12Frame& frame) {
  const Size size = frame.size;
  CHECK(size.width > 0 && size.height > 0, "a frame needs pixels");
  const TextureLayout layout = texture_layout(size, true);
  for (const std::size_t pitch :
       {frame.luma_pitch_bytes, std::size_t{layout.luma_pitch_bytes}, frame.chroma_pitch_bytes}) {
    const Status fits = check_plane(size, pitch);
    if (!fits) return fits.failure();
  }
  if (frame.memory == Memory::kCuda) return TexturePtr(std::make_shared<CudaTexture>(frame));
  Result<DeviceBlock> planes = allocate(context_, account_, layout.bytes, "a frame of a clip");
  if (!planes) return planes.failure();
  const Status done = finish(copy_frame(frame, *planes));
  if (!done) return done.failure();
  context_->crossings.fetch_add(1, std::memory_order_relaxed);
  return TexturePtr(std::make_shared<CudaTexture>(size, true, Rect{0, 0, size.width, size.height},
                                                  std::move(*planes)));
}

Status CudaDevice::copy_frame(const Nv12Frame& frame, const DeviceBlock& planes) {
  const TextureLayout layout = texture_layout(frame.size, true);
  const auto width = static_cast<std::size_t>(frame.size.width);
  const auto rows = static_cast<std::size_t>(frame.size.height);
  const Status luma = context_->api->queue(
      {CopyDirection::kToDevice, planes.data() + layout.luma, layout.luma_pitch_bytes, frame.luma,
       frame.luma_pitch_bytes, width, rows},
      uploads_->get());
  if (!luma) return luma;
  return context_->api->queue(
      {CopyDirection::kToDevice, planes.data() + layout.chroma, layout.chroma_pitch_bytes,
       frame.chroma, frame.chroma_pitch_bytes, (width + 1) / 2 * 2, (rows + 1) / 2},
      uploads_->get());
}

// Red, resampled, and half covered by white at half its alpha: what both kernels make of it is
// known. A device whose kernels can't run, or run wrongly, is found here and not in a film.
Status prove(Device& device) {
  constexpr Size kSize{16, 16};
  constexpr auto kSide = static_cast<std::size_t>(kSize.width);
  Result<TexturePtr> red = device.upload(RgbaImage({9, 9}, {255, 0, 0, 255}));
  if (!red) return red.failure();
  Result<TexturePtr> white = device.upload(RgbaImage({8, 8}, {255, 255, 255, 128}));
  if (!white) return white.failure();
  Composition composition;
  composition.base.push_back({*red, {0.5, 0.5}, {0.5, 0.5}, {0, 0, 16, 16}, 256});
  composition.top.push_back({*white, {-8, 1}, {0, 1}, {8, 0, 8, 8}, 256});
  std::vector<std::uint8_t> frame(kSide * kSide * 3 / 2);
  const Status drawn = device.make_compositor()->compose(
      composition, HostNv12View{kSize, frame.data(), kSide, frame.data() + kSide * kSide, kSide});
  if (!drawn) return drawn;
  const std::uint8_t back = luma(255, 0, 0);
  const std::uint8_t front = blend(back, premultiplied_luma(255, 255, 255, 128), 128);
  for (std::size_t i = 0; i < kSide * kSide; ++i) {
    if (frame[i] == (i % kSide >= 8 && i / kSide < 8 ? front : back)) continue;
    return failure(FailureKind::kUnavailable,
                   device.description() + " draws wrongly: it gave " + std::to_string(frame[i]) +
                       " in a frame that is known; its driver or the card is at fault");
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<Device>> make_device_on(std::unique_ptr<CudaApi> api,
                                               std::optional<std::uint64_t> budget_bytes) {
  const auto context = std::make_shared<CudaContext>(std::move(api));
  Result<OwnedStream> stream = OwnedStream::make(context);
  if (!stream) return stream.failure();
  std::unique_ptr<Device> device =
      std::make_unique<CudaDevice>(context, MemoryAccount::make_root(budget_bytes),
                                   std::make_shared<const OwnedStream>(std::move(*stream)));
  const Status proved = prove(*device);
  if (!proved) return proved.failure();
  context->crossings = 0;
  return device;
}

}  // namespace pytoon::gpu::cuda
