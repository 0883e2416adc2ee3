#include "pipeline/media/gst/h264_stream.h"

#include <algorithm>
#include <optional>

namespace pytoon::media {
namespace {

constexpr int kSlice = 1;
constexpr int kIdrSlice = 5;
constexpr int kSps = 7;
constexpr int kPps = 8;
constexpr std::uint8_t kHighProfile = 100;

int nal_type(std::uint8_t header) { return header & 31; }

// Walks the NAL units between start codes.
class AnnexB {
 public:
  explicit AnnexB(ByteSpan bytes) : bytes_(bytes), at_(start_code(0)) {}

  std::optional<ByteSpan> next() {
    if (at_ >= bytes_.size()) return std::nullopt;
    const std::size_t first = at_ + 3;
    at_ = start_code(first);
    std::size_t end = at_;
    while (end > first && bytes_[end - 1] == 0) --end;  // zeros before a start code
    return bytes_.subspan(first, end - first);
  }

 private:
  std::size_t start_code(std::size_t from) const {
    constexpr std::uint8_t kCode[] = {0, 0, 1};
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(
        std::search(begin, bytes_.end(), std::begin(kCode), std::end(kCode)) - bytes_.begin());
  }

  ByteSpan bytes_;
  std::size_t at_;
};

std::uint8_t low_byte(std::size_t value) { return static_cast<std::uint8_t>(value & 255); }

void append(Bytes& out, ByteSpan bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// Reads a record front to back; once it ran past the end, ok() stays false.
class Record {
 public:
  explicit Record(ByteSpan bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  ByteSpan take(std::size_t count) {
    ok_ = ok_ && count <= bytes_.size();
    if (!ok_) return {};
    const ByteSpan head = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return head;
  }
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0;
    for (const std::uint8_t byte : take(bytes)) value = value << 8 | byte;
    return value;
  }
  std::vector<Bytes> units(std::size_t count) {
    std::vector<Bytes> units;
    for (std::size_t i = 0; i < count && ok_; ++i) {
      const ByteSpan unit = take(number(2));
      units.emplace_back(unit.begin(), unit.end());
    }
    return units;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  ByteSpan bytes_;
  bool ok_ = true;
};

}  // namespace

Result<ParameterSets> parameter_sets(ByteSpan annex_b) {
  ParameterSets sets;
  AnnexB units(annex_b);
  while (const auto unit = units.next()) {
    if (unit->size() < 4) continue;
    if (nal_type(unit->front()) == kSps) sets.sps.emplace_back(unit->begin(), unit->end());
    if (nal_type(unit->front()) == kPps) sets.pps.emplace_back(unit->begin(), unit->end());
  }
  if (sets.sps.empty() || sets.pps.empty()) {
    return failure(FailureKind::kMedia, "the encoder gave no parameter sets");
  }
  return sets;
}

Result<ParameterSets> parse_avcc(ByteSpan bytes) {
  Record record(bytes);
  const ByteSpan head = record.take(5);
  const bool known = record.ok() && head[0] == 1 && (head[4] & 3) == 3;
  ParameterSets sets;
  sets.sps = record.units(record.number(1) & 31);
  sets.pps = record.units(record.number(1));
  if (!known || !record.ok() || sets.sps.empty() || sets.sps[0].size() < 4) {
    return failure(FailureKind::kMedia, "the H.264 configuration record is not readable");
  }
  return sets;
}

Bytes make_avcc(const ParameterSets& sets) {
  const Bytes& first = sets.sps.at(0);
  Bytes record{1, first.at(1), first.at(2), first.at(3), 0xFF};
  const auto append_units = [&record](const std::vector<Bytes>& units) {
    for (const Bytes& unit : units) {
      record.push_back(low_byte(unit.size() >> 8));
      record.push_back(low_byte(unit.size()));
      append(record, unit);
    }
  };
  record.push_back(low_byte(0xE0 | sets.sps.size()));
  append_units(sets.sps);
  record.push_back(low_byte(sets.pps.size()));
  append_units(sets.pps);
  // High profile says its chroma format (4:2:0) and its bit depths (8) again.
  if (first[1] == kHighProfile) append(record, Bytes{0xFC | 1, 0xF8, 0xF8, 0});
  return record;
}

void slices_with_lengths(ByteSpan annex_b, Bytes& out) {
  out.clear();
  AnnexB units(annex_b);
  while (const auto unit = units.next()) {
    if (unit->empty()) continue;
    const int type = nal_type(unit->front());
    if (type < kSlice || type > kIdrSlice) continue;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(low_byte(unit->size() >> shift));
    append(out, *unit);
  }
}

bool starts_sequence(ByteSpan access_unit) {
  Record record(access_unit);
  while (!record.empty()) {
    const ByteSpan unit = record.take(record.number(4));
    if (!record.ok() || unit.empty()) return false;
    if (nal_type(unit.front()) == kIdrSlice) return true;
  }
  return false;
}

}  // namespace pytoon::media
