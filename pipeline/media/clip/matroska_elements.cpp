#include "pipeline/media/clip/matroska_elements.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/input_file.h"

namespace pytoon::media {
namespace matroska {
namespace {

// Two minutes at 240 frames a second with audio, each block in a group with its additions, are
// 350,000.
constexpr int kElementsMax = 400'000;
constexpr int kElementDepthMax = 12;
constexpr std::size_t kKindsMax = 1000;  // Matroska has some 300
// No coded frame within our pixel limits needs as much.
constexpr std::uint64_t kBlockBytesMax = 64 << 20;
constexpr std::uint64_t kFieldBytesMax = 1 << 20;

enum Id : std::uint32_t {
  kEbml = 0x1A45DFA3,
  kDocType = 0x4282,
  kSegment = 0x18538067,
  kSeekHead = 0x114D9B74,
  kSeek = 0x4DBB,
  kSeekPosition = 0x53AC,
  kInfo = 0x1549A966,
  kTracks = 0x1654AE6B,
  kTrackEntry = 0xAE,
  kContentEncodings = 0x6D80,
  kContentEncoding = 0x6240,
  kContentCompression = 0x5034,
  kContentCompAlgo = 0x4254,
  kContentEncryption = 0x5035,
  kCluster = 0x1F43B675,
  kSimpleBlock = 0xA3,
  kBlockGroup = 0xA0,
  kBlock = 0xA1,
  kEncryptedBlock = 0xAF,
  kBlockAdditions = 0x75A1,
  kBlockMore = 0xA6,
  kBlockAdditional = 0xA5,
  kCues = 0x1C53BB6B,
  kCuePoint = 0xBB,
  kCueTrackPositions = 0xB7,
  kChapters = 0x1043A770,
  kEditionEntry = 0x45B9,
  kChapterAtom = 0xB6,
  kTags = 0x1254C367,
  kTag = 0x7373,
  kSimpleTag = 0x67C8,
  kAttachments = 0x1941A469,
  kAttachedFile = 0x61A7,
  kFileData = 0x465C,
  kVoid = 0xEC,
};

// What a demuxer looks into; Video, Audio and Colour among them, of which one each is kept.
constexpr std::array<std::uint32_t, 28> kHolders{kSeekHead,
                                                 kSeek,
                                                 kInfo,
                                                 kTracks,
                                                 kTrackEntry,
                                                 kContentEncodings,
                                                 kContentEncoding,
                                                 kContentCompression,
                                                 kCluster,
                                                 kBlockGroup,
                                                 kBlockAdditions,
                                                 kBlockMore,
                                                 kCues,
                                                 kCuePoint,
                                                 kCueTrackPositions,
                                                 kChapters,
                                                 kEditionEntry,
                                                 kChapterAtom,
                                                 kTags,
                                                 kTag,
                                                 kSimpleTag,
                                                 kAttachments,
                                                 kAttachedFile,
                                                 0xE0 /* Video */,
                                                 0xE1 /* Audio */,
                                                 0x55B0 /* Colour */,
                                                 0x41E4 /* BlockAdditionMapping */,
                                                 0x80 /* ChapterDisplay */};

constexpr std::array<std::uint32_t, 8> kTopLevel{kSeekHead, kInfo,     kTracks, kCluster,
                                                 kCues,     kChapters, kTags,   kAttachments};

// A demuxer compares each chapter, tag and stream with all others.
constexpr std::array<std::pair<std::uint32_t, int>, 8> kMost{{{kTrackEntry, 32},
                                                              {kAttachedFile, 64},
                                                              {kContentEncoding, 64},
                                                              {kChapterAtom, 1000},
                                                              {kTag, 1000},
                                                              {kSimpleTag, 1000},
                                                              {kSeek, 1000},
                                                              {kCuePoint, 30'000}}};

struct Element {
  std::uint32_t id = 0;
  std::uint64_t start = 0;            // of its content
  std::optional<std::uint64_t> size;  // nothing where the file does not say
};

template <std::size_t N>
bool is_among(const std::array<std::uint32_t, N>& ids, std::uint32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

Failure cut_off() {
  return failure(FailureKind::kMalformed, "the file is cut off or damaged: export it again");
}

Failure too_many_elements() {
  return failure(FailureKind::kInvalid,
                 "the file has more elements than a clip that may be sent needs: export it again "
                 "as MP4 or WebM");
}

class ElementWalker {
 public:
  explicit ElementWalker(const InputFile& file) : file_(file), size_(file.size()) {}

  // What the document calls itself.
  Result<std::string> read_head() {
    const std::optional<Element> head = open(0);
    if (!head || head->id != kEbml || !head->size || *head->size > kFieldBytesMax) return cut_off();
    const std::uint64_t end = head->start + *head->size;
    std::string type;
    for (std::uint64_t at = head->start; at < end;) {
      const std::optional<Element> field = open(at);
      if (!field || !fits(*field, end)) return cut_off();
      if (field->id == kDocType) type = file_.text_at(field->start, *field->size);
      at = field->start + *field->size;
    }
    after_head_ = end;
    return type.substr(0, type.find('\0'));
  }

  Status walk() {
    std::uint64_t at = after_head_;
    for (;;) {
      const std::optional<Element> element = open(at);
      if (!element) return cut_off();
      if (element->id == kSegment) return walk_segment(*element);
      if (element->id != kVoid || !fits(*element, size_)) return cut_off();
      at = element->start + *element->size;
    }
  }

 private:
  // Nothing where no element begins, as at the end of the file.
  std::optional<Element> open(std::uint64_t at) const {
    constexpr std::size_t kHeadBytesMax = 12;
    const std::string head = file_.text_at(at, kHeadBytesMax);
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(head[i]); };
    if (head.size() < 2) return std::nullopt;
    const auto id_bytes = static_cast<std::size_t>(std::countl_zero(byte(0))) + 1;
    if (id_bytes > 4 || head.size() <= id_bytes) return std::nullopt;
    Element element;
    for (std::size_t i = 0; i < id_bytes; ++i) element.id = element.id << 8U | byte(i);
    const auto size_bytes = static_cast<std::size_t>(std::countl_zero(byte(id_bytes))) + 1;
    if (size_bytes > 8 || head.size() < id_bytes + size_bytes) return std::nullopt;
    std::uint64_t size = byte(id_bytes) & ((1U << (8 - size_bytes)) - 1);
    for (std::size_t i = 1; i < size_bytes; ++i) size = size << 8U | byte(id_bytes + i);
    element.start = at + id_bytes + size_bytes;
    const bool unknown = size == (std::uint64_t{1} << (7 * size_bytes)) - 1;
    if (!unknown) element.size = size;
    return element;
  }

  static bool fits(const Element& element, std::uint64_t end) {
    return element.size && element.start <= end && *element.size <= end - element.start;
  }

  std::uint64_t number(const Element& element) const {
    std::uint64_t value = 0;
    const std::string text =
        file_.text_at(element.start, std::min<std::uint64_t>(8, *element.size));
    for (const char c : text) value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }

  // What stands behind the segment is no part of the clip.
  Status walk_segment(const Element& segment) {
    if (segment.size && !fits(segment, size_)) return cut_off();
    const std::uint64_t end = segment.size ? segment.start + *segment.size : size_;
    std::set<std::uint64_t> starts;
    for (std::uint64_t at = segment.start; at < end;) {
      const std::optional<Element> element = open(at);
      if (!element) return cut_off();
      if (Status good = count(*element, 1); !good) return good;
      starts.insert(at);
      const bool open_ended = !element->size && element->id == kCluster;
      const Result<std::uint64_t> after =
          open_ended ? walk_children(element->start, end, 2, true) : walk_one(*element, end, 1);
      if (!after) return after.failure();
      at = *after;
    }
    if (counts_[kTracks] == 0 || counts_[kCluster] == 0) return cut_off();
    return check_seek_table(segment.start, starts);
  }

  // Where it ends.
  Result<std::uint64_t> walk_one(const Element& element, std::uint64_t end, int depth) {
    if (!fits(element, end)) return cut_off();
    if (Status good = look_at(element); !good) return good.failure();
    const std::uint64_t after = element.start + *element.size;
    if (!is_among(kHolders, element.id)) return after;
    return walk_children(element.start, after, depth + 1, false);
  }

  // Where they end: at `end`, or those of a cluster of unknown size before the next child of a
  // segment.
  Result<std::uint64_t> walk_children(std::uint64_t at, std::uint64_t end, int depth,
                                      bool open_ended) {
    while (at < end) {
      const std::optional<Element> element = open(at);
      if (!element) return cut_off();
      if (open_ended && is_among(kTopLevel, element->id)) return at;
      if (Status good = count(*element, depth); !good) return good.failure();
      const Result<std::uint64_t> after = walk_one(*element, end, depth);
      if (!after) return after;
      at = *after;
    }
    return at;
  }

  Status count(const Element& element, int depth) {
    if (++elements_ > kElementsMax || depth > kElementDepthMax) return too_many_elements();
    const int now = ++counts_[element.id];
    for (const auto& [id, most] : kMost) {
      if (element.id == id && now > most) return too_many_elements();
    }
    return counts_.size() > kKindsMax ? Status(too_many_elements()) : ok_status();
  }

  Status look_at(const Element& element) {
    if (is_among(kHolders, element.id) || element.id == kVoid || element.id == kFileData) {
      return ok_status();
    }
    if (element.id == kContentEncryption || element.id == kEncryptedBlock) {
      return failure(FailureKind::kInvalid,
                     "the clip is encrypted (DRM): send one without copy protection");
    }
    constexpr std::uint64_t kHeaderStripping = 3;
    if (element.id == kContentCompAlgo && number(element) != kHeaderStripping) {
      return failure(FailureKind::kInvalid,
                     "the clip's tracks are compressed once more (zlib, bzlib, LZO), which is not "
                     "taken: export it again without");
    }
    if (element.id == kSeekPosition) sought_.push_back(number(element));
    const bool block =
        element.id == kSimpleBlock || element.id == kBlock || element.id == kBlockAdditional;
    return *element.size > (block ? kBlockBytesMax : kFieldBytesMax) ? Status(too_many_elements())
                                                                     : ok_status();
  }

  // A demuxer goes where the table says and reads what it finds there.
  Status check_seek_table(std::uint64_t segment_start,
                          const std::set<std::uint64_t>& starts) const {
    for (const std::uint64_t position : sought_) {
      const bool beyond = position >= size_ - segment_start;
      if (!beyond && !starts.contains(segment_start + position)) return cut_off();
    }
    return ok_status();
  }

  const InputFile& file_;
  const std::uint64_t size_;
  std::uint64_t after_head_ = 0;
  int elements_ = 0;
  std::map<std::uint32_t, int> counts_;  // of elements by their id
  std::vector<std::uint64_t> sought_;    // by the seek table, from the segment's start
};

}  // namespace
}  // namespace matroska

Result<std::string> check_matroska_elements(const std::filesystem::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  matroska::ElementWalker walker(*file);
  const Result<std::string> type = walker.read_head();
  if (!type) return type.failure();
  if (*type != "webm" && *type != "matroska") {
    return failure(FailureKind::kUnsupportedType, "the bytes are neither WebM nor Matroska");
  }
  if (Status good = walker.walk(); !good) return good.failure();
  return std::string(*type == "webm" ? "webm" : "mkv");
}

}  // namespace pytoon::media
