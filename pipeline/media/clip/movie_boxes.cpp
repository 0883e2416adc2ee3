#include "pipeline/media/clip/movie_boxes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/files.h"

namespace pytoon::media {
namespace {

constexpr std::uint64_t kSamplesMax = 12'000'000;  // two minutes of 96 kHz audio, one by one
constexpr std::uint64_t kEditsMax = 64;
// Two minutes at 60 frames a second with audio, each frame in a fragment of its own, are 90,000.
constexpr int kBoxesMax = 100'000;
constexpr int kDepthMax = 8;

struct Box {
  std::string type;
  std::uint64_t start = 0;  // of its content
  std::uint64_t end = 0;
};

Failure damaged() {
  return failure(FailureKind::kMalformed, "the clip is cut off or damaged: export it again");
}

Failure excessive() {
  return failure(FailureKind::kInvalid,
                 "the clip's index has more entries than a clip of two minutes needs");
}

class Walker {
 public:
  explicit Walker(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    const off_t end = file_ ? ::lseek(file_.get(), 0, SEEK_END) : -1;
    readable_ = end >= 0;
    size_ = readable_ ? static_cast<std::uint64_t>(end) : 0;
  }

  bool readable() const { return readable_; }
  std::uint64_t size() const { return size_; }
  bool found_index() const { return found_index_; }

  // Fewer at the end of the file.
  std::string bytes(std::uint64_t at, std::size_t count) const {
    std::string text(count, '\0');
    const ssize_t got = ::pread(file_.get(), text.data(), count, static_cast<off_t>(at));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
  }

  Status walk(std::uint64_t start, std::uint64_t end, int depth) {
    for (std::uint64_t at = start; at + 8 <= end;) {
      if (++boxes_ > kBoxesMax || depth > kDepthMax) return excessive();
      const Box box = open(at, end);
      if (!fits(box, end)) return ends_in_trailer(box, depth) ? ok_status() : Status(damaged());
      if (Status good = look_at(box, depth); !good) return good;
      at = box.end;
    }
    return ok_status();
  }

 private:
  static std::uint64_t number_in(std::string_view text) {
    std::uint64_t value = 0;
    for (const char c : text) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }

  std::uint64_t number(std::uint64_t at, std::size_t count) const {
    return number_in(bytes(at, count));
  }

  // As its head says; its end may lie anywhere.
  Box open(std::uint64_t at, std::uint64_t end) const {
    const std::string head = bytes(at, 16);
    const std::string_view text(head);
    std::uint64_t length = number_in(text.substr(0, 4));
    std::uint64_t head_bytes = 8;
    if (length == 1 && head.size() == 16) {
      length = number_in(text.substr(8, 8));
      head_bytes = 16;
    }
    if (length == 0) length = end - at;
    // Wraps round at most to before its start, where no box ends.
    return Box{std::string(text.substr(4, 4)), at + head_bytes, at + length};
  }

  static bool fits(const Box& box, std::uint64_t end) {
    return box.end >= box.start && box.end <= end;
  }

  // Cameras and phones write notes of their own behind the last box of a whole clip; a box that
  // the clip itself is made of and that goes past the end is one that was cut off.
  bool ends_in_trailer(const Box& box, int depth) const {
    constexpr std::array<std::string_view, 7> kClipsOwn{"ftyp", "moov", "moof", "mdat",
                                                        "mfra", "sidx", "styp"};
    const bool own = std::find(kClipsOwn.begin(), kClipsOwn.end(), box.type) != kClipsOwn.end();
    return depth == 0 && found_index_ && found_media_ && !own;
  }

  // A table's claimed number of entries, of all tables of its kind together.
  static Status add(std::uint64_t& sum, std::uint64_t count, std::uint64_t most) {
    sum += count;
    return sum > most ? Status(excessive()) : ok_status();
  }

  Status look_at(const Box& box, int depth) {
    constexpr std::array<std::string_view, 9> kHolders{"moov", "trak", "mdia", "minf", "stbl",
                                                       "edts", "moof", "traf", "mvex"};
    if (box.type == "moov") found_index_ = true;
    if (box.type == "mdat") found_media_ = true;
    for (const std::string_view holder : kHolders) {
      if (box.type == holder) return walk(box.start, box.end, depth + 1);
    }
    if (box.type == "cmov") {
      return failure(FailureKind::kInvalid,
                     "the clip has a compressed index, which is not taken: export it again");
    }
    if (box.type == "stsd") {
      const std::string coding = bytes(box.start + 12, 4);
      if (coding == "encv" || coding == "drmi") {
        return failure(FailureKind::kInvalid,
                       "the clip is encrypted (DRM): send one without copy protection");
      }
    }
    if (box.type == "stsz" || box.type == "stz2") {
      return add(samples_, number(box.start + 8, 4), kSamplesMax);
    }
    constexpr std::array<std::string_view, 6> kTables{"stts", "ctts", "stss",
                                                      "stsc", "stco", "co64"};
    for (const std::string_view table : kTables) {
      if (box.type != table) continue;
      constexpr std::uint64_t kLeastEntryBytes = 4;
      if (number(box.start + 4, 4) * kLeastEntryBytes > box.end - box.start) return damaged();
    }
    if (box.type == "trun") return add(samples_, number(box.start + 4, 4), kSamplesMax);
    if (box.type == "elst") return add(edits_, number(box.start + 4, 4), kEditsMax);
    return ok_status();
  }

  FileDescriptor file_;
  bool readable_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t samples_ = 0;
  std::uint64_t edits_ = 0;
  int boxes_ = 0;
  bool found_index_ = false;
  bool found_media_ = false;
};

// "" when the bytes are no movie's. Old QuickTime files begin without a brand.
std::string format_of(const std::string& head) {
  if (head.size() < 12) return "";
  const std::string type = head.substr(4, 4);
  if (type == "ftyp") return head.substr(8, 4) == "qt  " ? "mov" : "mp4";
  const bool old = type == "moov" || type == "mdat" || type == "wide" || type == "free" ||
                   type == "skip" || type == "pnot";
  return old ? "mov" : "";
}

}  // namespace

Result<std::string> check_movie_boxes(const std::filesystem::path& path) {
  Walker walker(path);
  if (!walker.readable()) {
    return failure(FailureKind::kNotFound, "can't read the clip " + path.string());
  }
  std::string format = format_of(walker.bytes(0, 12));
  if (format.empty()) {
    return failure(FailureKind::kUnsupportedType,
                   "the bytes are not an MP4 or MOV video with H.264 or HEVC");
  }
  if (Status good = walker.walk(0, walker.size(), 0); !good) return good.failure();
  if (!walker.found_index()) return damaged();
  return format;
}

}  // namespace pytoon::media
