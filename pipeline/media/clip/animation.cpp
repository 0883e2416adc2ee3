#include "pipeline/media/clip/animation.h"

#include <algorithm>
#include <string_view>

#include "pipeline/media/clip/clip_index.h"

namespace pytoon::media {
namespace {

using namespace std::string_view_literals;
using Alpha = Animation::Alpha;

constexpr auto kPngSignature = "\x89PNG\r\n\x1A\n"sv;
constexpr std::size_t kPngFrameBytes = 12;  // a chunk's length, type and checksum

Failure broken_animation() {
  return failure(FailureKind::kMalformed, "the animation is cut off or damaged: export it again");
}

Failure unfit(const std::string& why) {
  return failure(FailureKind::kInvalid, "the animation " + why);
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = at + count; i > at; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

// Adds up what frames last, exactly where all are told in the same unit.
class Times {
 public:
  explicit Times(Animation& animation) : animation_(animation) {}

  // Lasts so many of a second's parts. Refused when there are more frames than any clip may have.
  Status add(std::int64_t parts, std::int64_t of_second) {
    constexpr std::size_t kFramesMax = std::size_t{kClipRateMax} * kClipSecondsMax;
    constexpr std::int64_t kLeastPerSecond = 100;
    if (parts * kLeastPerSecond <= of_second) {
      parts = 1;
      of_second = 10;
    }
    if (of_second != unit_) rest_ = 0;
    unit_ = of_second;
    animation_.starts.push_back(animation_.end);
    const std::int64_t whole = parts * kAnimationTicks + rest_;
    animation_.end += whole / unit_;
    rest_ = whole % unit_;
    if (animation_.starts.size() <= kFramesMax) return ok_status();
    return unfit("has more frames than a clip may have: send it as MP4 or WebM");
  }

 private:
  Animation& animation_;
  std::int64_t unit_ = 1;
  std::int64_t rest_ = 0;  // of a tick, in units
};

// Whether frames that let the ground through exist is gathered frame by frame.
void lets_through(Animation& animation, bool always) {
  const bool first = animation.starts.empty();
  if (always) animation.alpha = Alpha::kAny;
  if (!always && first) animation.alpha = std::max(animation.alpha, Alpha::kOfFirst);
}

class GifReader {
 public:
  explicit GifReader(Animation& animation)
      : animation_(animation), bytes_(animation.bytes), times_(animation) {}

  Status read() {
    if (bytes_.size() < 13) return broken_animation();
    animation_.size = {static_cast<int>(little_endian(bytes_, 6, 2)),
                       static_cast<int>(little_endian(bytes_, 8, 2))};
    at_ = 13 + palette_bytes(byte(10));
    while (at_ < bytes_.size()) {
      const unsigned kind = byte(at_++);
      constexpr unsigned kExtension = 0x21;
      constexpr unsigned kImage = 0x2C;
      constexpr unsigned kTrailer = 0x3B;
      if (kind == kTrailer) return ok_status();
      if (kind != kExtension && kind != kImage) return broken_animation();
      if (Status good = kind == kImage ? read_image() : read_extension(); !good) return good;
    }
    return broken_animation();
  }

 private:
  unsigned byte(std::size_t at) const {
    return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0;
  }

  static std::size_t palette_bytes(unsigned flags) {
    return (flags & 0x80U) != 0 ? std::size_t{3} << ((flags & 7U) + 1) : 0;
  }

  // Past blocks of up to 255 bytes, of which an empty one is the last.
  Status skip_blocks() {
    while (at_ < bytes_.size()) {
      const unsigned count = byte(at_);
      at_ += 1 + count;
      if (count == 0) return ok_status();
    }
    return broken_animation();
  }

  Status read_extension() {
    constexpr unsigned kGraphicControl = 0xF9;
    if (byte(at_) == kGraphicControl && at_ + 6 <= bytes_.size()) {
      disposal_ = byte(at_ + 2) >> 2U & 7U;
      transparent_ = (byte(at_ + 2) & 1U) != 0;
      delay_ = little_endian(bytes_, at_ + 3, 2);
    }
    ++at_;
    return skip_blocks();
  }

  Status read_image() {
    if (at_ + 10 > bytes_.size()) return broken_animation();
    const gpu::Size size{static_cast<int>(little_endian(bytes_, at_ + 4, 2)),
                         static_cast<int>(little_endian(bytes_, at_ + 6, 2))};
    constexpr unsigned kToGround = 2;
    constexpr unsigned kToBefore = 3;
    const bool first = animation_.starts.empty();
    const bool cleared = disposal_ == kToGround || (first && disposal_ == kToBefore);
    if (cleared || transparent_ || size != animation_.size) lets_through(animation_, cleared);
    constexpr std::int64_t kPerSecond = 100;
    if (Status fits = times_.add(delay_, kPerSecond); !fits) return fits;
    delay_ = disposal_ = 0;
    transparent_ = false;
    at_ += 9 + palette_bytes(byte(at_ + 8)) + 1;
    return skip_blocks();
  }

  Animation& animation_;
  const std::string_view bytes_;
  Times times_;
  std::size_t at_ = 0;
  // Of the frame to come.
  unsigned disposal_ = 0;
  bool transparent_ = false;
  std::int64_t delay_ = 0;
};

// Keeps of the file only what its image is made of: text and profiles may unpack to anything.
class ApngReader {
 public:
  explicit ApngReader(Animation& animation) : animation_(animation), times_(animation) {}

  Status read() {
    const std::string file = std::move(animation_.bytes);
    animation_.bytes = std::string(kPngSignature);
    std::size_t at = kPngSignature.size();
    while (at + kPngFrameBytes <= file.size()) {
      const std::uint32_t length = big_endian(file, at, 4);
      if (length > file.size() - at - kPngFrameBytes) return broken_animation();
      const std::string_view chunk = std::string_view(file).substr(at, kPngFrameBytes + length);
      const std::string_view type = chunk.substr(4, 4);
      if (Status good = look_at(type, chunk.substr(8, length)); !good) return good;
      if (is_image_chunk(type)) animation_.bytes += chunk;
      at += chunk.size();
      if (type != "IEND") continue;
      return animation_.starts.size() == announced_ ? ok_status() : Status(broken_animation());
    }
    return broken_animation();
  }

 private:
  static bool is_image_chunk(std::string_view type) {
    constexpr std::string_view kTypes[] = {"IHDR", "acTL", "PLTE", "tRNS",
                                           "fcTL", "IDAT", "fdAT", "IEND"};
    return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
  }

  Status look_at(std::string_view type, std::string_view content) {
    constexpr unsigned kAlphaBit = 4;
    if (type == "IHDR" && content.size() == 13) {
      animation_.size = {static_cast<int>(big_endian(content, 0, 4)),
                         static_cast<int>(big_endian(content, 4, 4))};
      has_alpha_ = (static_cast<unsigned>(content[9]) & kAlphaBit) != 0;
    }
    if (type == "tRNS") has_alpha_ = true;
    if (type == "acTL" && content.size() == 8) announced_ = big_endian(content, 0, 4);
    return type == "fcTL" ? read_frame(content) : ok_status();
  }

  Status read_frame(std::string_view control) {
    if (control.size() != 26) return broken_animation();
    const bool first = animation_.starts.empty();
    const unsigned disposal = static_cast<unsigned char>(control[24]);
    const bool replaces = control[25] == 0;
    const bool cleared = disposal == 1 || (first && disposal == 2);
    const bool any = cleared || (has_alpha_ && replaces && !first);
    if (any || has_alpha_) lets_through(animation_, any);
    const std::int64_t unit = big_endian(control, 22, 2);
    constexpr std::int64_t kUsualUnit = 100;
    return times_.add(big_endian(control, 20, 2), unit == 0 ? kUsualUnit : unit);
  }

  Animation& animation_;
  Times times_;
  bool has_alpha_ = false;
  std::uint32_t announced_ = 0;
};

class WebpReader {
 public:
  explicit WebpReader(Animation& animation)
      : animation_(animation), bytes_(animation.bytes), times_(animation) {}

  Status read() {
    if (bytes_.size() < 30) return broken_animation();
    const std::size_t end = std::size_t{8} + little_endian(bytes_, 4, 4);
    if (end > bytes_.size()) return broken_animation();
    for (std::size_t at = 12; at + 8 <= end;) {
      const std::size_t length = little_endian(bytes_, at + 4, 4);
      if (length > end - at - 8) return broken_animation();
      if (Status good = look_at(bytes_.substr(at, 4), bytes_.substr(at + 8, length)); !good) {
        return good;
      }
      at += 8 + length + length % 2;
    }
    return ok_status();
  }

 private:
  Status look_at(std::string_view type, std::string_view content) {
    if (type == "VP8X" && content.size() >= 10) {
      animation_.size = {static_cast<int>(little_endian(content, 4, 3)) + 1,
                         static_cast<int>(little_endian(content, 7, 3)) + 1};
      has_alpha_ = (static_cast<unsigned>(content[0]) & 0x10U) != 0;
    }
    return type == "ANMF" ? read_frame(content) : ok_status();
  }

  Status read_frame(std::string_view frame) {
    if (frame.size() < 16) return broken_animation();
    const gpu::Size size{static_cast<int>(little_endian(frame, 6, 3)) + 1,
                         static_cast<int>(little_endian(frame, 9, 3)) + 1};
    const auto flags = static_cast<unsigned>(frame[15]);
    const bool cleared = (flags & 1U) != 0;
    const bool replaces = (flags & 2U) != 0;
    const bool any = cleared || (has_alpha_ && replaces && !animation_.starts.empty());
    if (any || has_alpha_ || size != animation_.size) lets_through(animation_, any);
    constexpr std::int64_t kPerSecond = 1000;
    return times_.add(little_endian(frame, 12, 3), kPerSecond);
  }

  Animation& animation_;
  const std::string_view bytes_;
  Times times_;
  bool has_alpha_ = false;
};

Result<std::string> read_animation_file(const std::filesystem::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  if (file->size() > static_cast<std::uint64_t>(kAnimationBytesMax)) {
    return failure(FailureKind::kTooLarge,
                   "an animated GIF, APNG or WebP may have 64 MiB at most: send it as MP4 or WebM");
  }
  return file->text_at(0, file->size());
}

Status check_bounds(const Animation& animation) {
  const auto [width, height] = animation.size;
  if (std::max(width, height) > kClipEdgeMaxPx || std::min(width, height) < kClipEdgeMinPx) {
    return unfit("is " + std::to_string(width) + "x" + std::to_string(height) +
                 " px; an edge may have " + std::to_string(kClipEdgeMinPx) + " to " +
                 std::to_string(kClipEdgeMaxPx) + " px");
  }
  if (animation.starts.size() < 2) {
    return unfit("has a single image: send it as PNG or JPEG");
  }
  if (animation.end > std::int64_t{kClipSecondsMax} * kAnimationTicks) {
    return unfit("lasts longer than " + std::to_string(kClipSecondsMax) + " s: cut it");
  }
  const auto frames = static_cast<std::int64_t>(animation.starts.size());
  if (frames * width * height > kAnimationPixelsMax) {
    return unfit("has more pixels in all its frames than 2^31: send it as MP4 or WebM");
  }
  return ok_status();
}

// A PNG is animated when it says so before its pixels.
bool is_apng(const InputFile& file) {
  constexpr int kChunksMax = 1000;
  std::uint64_t at = kPngSignature.size();
  for (int i = 0; i < kChunksMax; ++i) {
    const std::string head = file.text_at(at, 8);
    if (head.size() < 8) return false;
    const std::string_view type = std::string_view(head).substr(4);
    if (type == "acTL" || type == "IDAT") return type == "acTL";
    at += kPngFrameBytes + big_endian(head, 0, 4);
  }
  return false;
}

bool is_animated_webp(std::string_view head) {
  constexpr unsigned kAnimated = 2;
  return head.size() > 20 && head.starts_with("RIFF") && head.substr(8, 8) == "WEBPVP8X" &&
         (static_cast<unsigned>(head[20]) & kAnimated) != 0;
}

}  // namespace

std::optional<ClipFormat> animation_of(const InputFile& file) {
  const std::string head = file.text_at(0, 32);
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) {
    return ClipFormat{ClipContainer::kGif, "gif"};
  }
  if (head.starts_with(kPngSignature) && is_apng(file)) {
    return ClipFormat{ClipContainer::kApng, "apng"};
  }
  if (is_animated_webp(head)) return ClipFormat{ClipContainer::kWebp, "webp"};
  return std::nullopt;
}

Result<Animation> read_animation(const std::filesystem::path& path, ClipContainer container) {
  Result<std::string> bytes = read_animation_file(path);
  if (!bytes) return bytes.failure();
  Animation animation;
  animation.bytes = std::move(*bytes);
  Status read = container == ClipContainer::kGif    ? GifReader(animation).read()
                : container == ClipContainer::kApng ? ApngReader(animation).read()
                                                    : WebpReader(animation).read();
  if (!read) return read.failure();
  if (Status good = check_bounds(animation); !good) return good.failure();
  return animation;
}

}  // namespace pytoon::media
