#include "pipeline/media/clip/movie_boxes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/input_file.h"

namespace pytoon::media {
namespace {

// Two minutes of 96 kHz audio, one by one, for which a demuxer takes 300 MB.
constexpr std::uint64_t kSamplesMax = 12'000'000;
constexpr std::uint64_t kEditsMax = 64;
// Of a chunk of raw audio a demuxer makes pieces of about so many samples.
constexpr std::uint64_t kPieceSamples = 1024;
// Two minutes at 60 frames a second with audio, each frame in a fragment of its own, are 90,000;
// 15 minutes of AAC are 300,000.
constexpr int kClipBoxesMax = 100'000;
constexpr int kAudioBoxesMax = 400'000;
constexpr int kDepthMax = 8;
// How a track is coded takes some hundred bytes.
constexpr std::uint64_t kCodingBytesMax = 1 << 20;

constexpr std::array<std::string_view, 10> kTables{"stsz", "stz2", "stts", "ctts", "stss",
                                                   "stsc", "stco", "co64", "trun", "elst"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& types, std::string_view type) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

struct Box {
  std::string type;
  std::uint64_t start = 0;  // of its content
  std::uint64_t end = 0;
};

Failure damaged() {
  return failure(FailureKind::kMalformed, "the file is cut off or damaged: export it again");
}

Failure excessive() {
  return failure(FailureKind::kInvalid,
                 "the file's index has more entries than a file that may be sent needs");
}

Failure hollow() {
  return failure(FailureKind::kInvalid,
                 "the file's index announces more samples than the file has bytes for");
}

class Walker {
 public:
  enum class Manner {
    kStrict,  // boxes fit into each other, as in every whole clip
    kLoose,   // one that doesn't is taken for as long as what holds it, as demuxers do
  };

  Walker(const InputFile& file, int boxes_max)
      : file_(file), size_(file.size()), boxes_max_(boxes_max) {}

  bool found_index() const { return found_index_; }

  // Fewer at the end of the file.
  std::string bytes(std::uint64_t at, std::size_t count) const { return file_.text_at(at, count); }

  Status walk(Manner manner) { return walk(0, size_, 0, manner); }

  // Single samples of raw audio, which a demuxer takes by the chunk, may be as many as the file's
  // bytes; of any others it keeps a record each, and again one in each edit of a track.
  bool too_many_samples() const {
    const bool raw = raw_ && !coded_ && steady_ && !unsteady_;
    const std::uint64_t records = samples_ + (raw ? 0 : uniform_samples_) + pieces();
    return records * std::max<std::uint64_t>(longest_edits_, 1) > kSamplesMax;
  }

 private:
  Status walk(std::uint64_t start, std::uint64_t end, int depth, Manner manner) {
    for (std::uint64_t at = start; at + 8 <= end;) {
      if (++boxes_ > boxes_max_ || depth > kDepthMax) return excessive();
      Box box = open(at, end);
      if (!fits(box, end)) {
        if (manner == Manner::kStrict) {
          return ends_in_trailer(box, depth) ? ok_status() : Status(damaged());
        }
        if (box.end < box.start || box.start > end) return ok_status();
        box.end = end;
      }
      if (Status good = look_at(box, depth, manner); !good) return good;
      at = box.end;
    }
    return ok_status();
  }

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

  Status look_at(const Box& box, int depth, Manner manner) {
    constexpr std::array<std::string_view, 9> kHolders{"moov", "trak", "mdia", "minf", "stbl",
                                                       "edts", "moof", "traf", "mvex"};
    if (box.type == "moov") found_index_ = true;
    if (box.type == "mdat") found_media_ = true;
    if (box.type == "trak") begin_track();
    if (is_one_of(kHolders, box.type)) {
      return walk(box.start, box.end, depth + 1, manner);
    }
    if (is_one_of(kTables, box.type)) return look_at_table(box);
    return look_for_tables(box, depth);
  }

  // Boxes that hold no table in any good file, but in which a demuxer would find one.
  Status look_for_tables(const Box& box, int depth) {
    constexpr std::array<std::string_view, 7> kOddHolders{"dinf", "udta", "ilst", "tref",
                                                          "sinf", "schi", "wave"};
    if (box.type == "cmov") {
      return failure(FailureKind::kInvalid,
                     "the file has a compressed index, which is not taken: export it again");
    }
    if (box.type == "stsd") return look_at_coding(box);
    if (is_one_of(kOddHolders, box.type)) {
      return walk(box.start, box.end, depth + 1, Manner::kLoose);
    }
    if (box.type == "meta") {  // of QuickTime, or with four bytes more of ISO
      for (const std::uint64_t skipped : {0U, 4U}) {
        if (bytes(box.start + skipped + 4, 4) != "hdlr") continue;
        return walk(box.start + skipped, box.end, depth + 1, Manner::kLoose);
      }
    }
    if (box.type == "free" || box.type == "hoov") {  // an index that was put out of use
      const std::string first = bytes(box.start + 4, 4);
      if (first == "mvhd" || first == "cmov") {
        return walk(box.start, box.end, depth + 1, Manner::kLoose);
      }
    }
    return ok_status();
  }

  // Behind fields that depend on the codec come boxes, so tables are looked for at every byte.
  Status look_at_coding(const Box& box) {
    const std::string coding = bytes(box.start + 12, 4);
    if (coding == "encv" || coding == "drmi") {
      return failure(FailureKind::kInvalid,
                     "the clip is encrypted (DRM): send one without copy protection");
    }
    constexpr std::array<std::string_view, 12> kRaw{"in24", "in32", "fl32", "fl64", "sowt", "twos",
                                                    "lpcm", "raw ", "NONE", "ulaw", "alaw", "ipcm"};
    const bool raw = number(box.start + 4, 4) == 1 && is_one_of(kRaw, coding);
    (raw ? raw_ : coded_) = true;
    if (box.end - box.start > kCodingBytesMax) return excessive();
    const std::string text = bytes(box.start, static_cast<std::size_t>(box.end - box.start));
    for (std::size_t at = 0; at + 4 <= text.size(); ++at) {
      const std::string_view type = std::string_view(text).substr(at, 4);
      if (!is_one_of(kTables, type)) continue;
      const Status good = look_at_table({std::string(type), box.start + at + 4, box.end});
      if (!good) return good;
    }
    return ok_status();
  }

  Status look_at_table(const Box& box) {
    const std::uint64_t room = box.end - box.start;
    if (box.type == "stsz" || box.type == "stz2") return look_at_sizes(box);
    const std::uint64_t count = number(box.start + 4, 4);
    if (box.type == "elst") return look_at_edits(box, count);
    if (box.type == "trun") return add_samples(count);
    constexpr std::uint64_t kLeastEntryBytes = 4;
    if (count * kLeastEntryBytes > room) return damaged();
    if (box.type == "stco" || box.type == "co64") chunks_ += count;
    if (box.type == "stsc") {
      if (Status good = look_at_chunks(box, count); !good) return good;
    }
    if (pieces() > kSamplesMax) return excessive();
    if (box.type == "stts" && count > 0) {
      const bool one_by_one = count == 1 && number(box.start + 12, 4) == 1;
      (one_by_one ? steady_ : unsteady_) = true;
    }
    return ok_status();
  }

  // Those at the beginning that play nothing, only wait, are no copies.
  Status look_at_edits(const Box& box, std::uint64_t count) {
    edits_ += count;
    if (edits_ > kEditsMax) return excessive();
    const std::size_t width = bytes(box.start, 1) == "\x01" ? 8 : 4;
    const std::string nothing(width, '\xff');
    std::uint64_t waits = 0;
    while (waits < count &&
           bytes(box.start + 8 + waits * (2 * width + 4) + width, width) == nothing) {
      ++waits;
    }
    longest_edits_ = std::max(longest_edits_, count - waits);
    return ok_status();
  }

  // Entries of twelve bytes, each for a row of chunks that hold as many samples.
  Status look_at_chunks(const Box& box, std::uint64_t count) {
    constexpr std::uint64_t kEntryBytes = 12;
    constexpr std::uint64_t kAtOnce = 4096;
    rows_ += count;
    if (rows_ > kSamplesMax) return excessive();
    for (std::uint64_t done = 0; done < count; done += kAtOnce) {
      const std::string text =
          bytes(box.start + 8 + done * kEntryBytes, std::min(kAtOnce, count - done) * kEntryBytes);
      for (std::size_t i = 0; i + kEntryBytes <= text.size(); i += kEntryBytes) {
        const std::uint64_t samples = number_in(std::string_view(text).substr(i + 4, 4));
        chunk_pieces_ = std::max(chunk_pieces_, 1 + samples / kPieceSamples);
      }
    }
    return ok_status();
  }

  void begin_track() {
    pieces_before_ = pieces();
    chunks_ = chunk_pieces_ = 0;
  }
  // Of all tracks so far, at most.
  std::uint64_t pieces() const { return pieces_before_ + chunks_ * chunk_pieces_; }

  // A size for each sample, or one for all, of which each is at least a byte somewhere.
  Status look_at_sizes(const Box& box) {
    const std::uint64_t size = box.type == "stsz" ? number(box.start + 4, 4) : 0;
    const std::uint64_t count = number(box.start + 8, 4);
    if (size == 0) return add_samples(count);
    if (count * size > size_) return hollow();
    uniform_samples_ += count;
    return uniform_samples_ > size_ ? Status(hollow()) : ok_status();
  }

  // Each has an entry of its own in a table, or a byte of its own.
  Status add_samples(std::uint64_t count) {
    samples_ += count;
    return samples_ > size_ ? Status(hollow()) : ok_status();
  }

  const InputFile& file_;
  const std::uint64_t size_;
  int boxes_max_;
  std::uint64_t samples_ = 0;
  std::uint64_t uniform_samples_ = 0;  // of tables that give one size for all
  bool raw_ = false;                   // a track of uncompressed audio
  bool coded_ = false;                 // one of anything else
  bool steady_ = false;                // a track whose samples each last one tick
  bool unsteady_ = false;              // one of others
  std::uint64_t edits_ = 0;
  std::uint64_t longest_edits_ = 0;  // of a track
  std::uint64_t chunks_ = 0;         // of the track
  std::uint64_t chunk_pieces_ = 0;   // of its largest chunk
  std::uint64_t pieces_before_ = 0;  // of the tracks before
  std::uint64_t rows_ = 0;           // of chunks that hold as many samples
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
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  Walker walker(*file, kClipBoxesMax);
  std::string format = format_of(walker.bytes(0, 12));
  if (format.empty()) {
    return failure(FailureKind::kUnsupportedType,
                   "the bytes are no clip: MP4, MOV, WebM, Matroska, animated GIF, APNG or WebP");
  }
  if (Status good = walker.walk(Walker::Manner::kStrict); !good) return good.failure();
  if (walker.too_many_samples()) return excessive();
  if (!walker.found_index()) return damaged();
  return format;
}

Status check_audio_boxes(const std::filesystem::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  Walker walker(*file, kAudioBoxesMax);
  if (Status good = walker.walk(Walker::Manner::kLoose); !good) return good;
  return walker.too_many_samples() ? Status(excessive()) : ok_status();
}

}  // namespace pytoon::media
