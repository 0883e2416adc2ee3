#include "pipeline/media/decoder/clip_index_bytes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace pytoon::media {
namespace {

constexpr std::int64_t kUprightMaxPx = std::int64_t{kClipEdgeMaxPx} * 8;  // of the widest pixels
constexpr std::int64_t kFramesMax = std::int64_t{kClipRateMax} * kClipSecondsMax;
// Far from the limits of 64 bits, whatever is added or multiplied.
constexpr std::int64_t kTickMax = std::int64_t{1} << 60;

// Numbers in the order they were put.
class Numbers {
 public:
  explicit Numbers(const std::string& bytes) : all_(bytes.size() / sizeof(std::int64_t)) {
    if (!all_.empty()) std::memcpy(all_.data(), bytes.data(), all_.size() * sizeof(all_[0]));
  }
  // Once one was not within its bounds, none is.
  std::int64_t next(std::int64_t least, std::int64_t most) {
    const std::int64_t value = at_ < all_.size() ? all_[at_] : std::numeric_limits<int>::min();
    good_ = good_ && at_ < all_.size() && value >= least && value <= most;
    ++at_;
    return good_ ? value : least;
  }
  int pixels(std::int64_t most) { return static_cast<int>(next(1, most)); }
  bool flag() { return next(0, 1) == 1; }
  // How many follow of `each` numbers: no more than are there.
  std::int64_t count(std::int64_t most, std::int64_t each) {
    const auto left = static_cast<std::int64_t>(all_.size() - std::min(at_, all_.size()));
    return next(1, std::min(most, left / each));
  }
  bool good() const { return good_; }

 private:
  std::vector<std::int64_t> all_;
  std::size_t at_ = 0;
  bool good_ = true;
};

void read_times(Numbers& numbers, ClipTimes& times) {
  constexpr std::int64_t kInt = std::numeric_limits<int>::max();
  times.tick_num = numbers.next(1, kInt);
  times.tick_den = numbers.next(1, kInt);
  // A second more than a clip may have, and a tick.
  const std::int64_t longest = (kClipSecondsMax + 1) * times.tick_den / times.tick_num + 1;
  times.end = numbers.next(1, longest);
  const std::int64_t frames = numbers.count(kFramesMax, 1);
  std::int64_t least = 0;
  for (std::int64_t i = 0; i < frames && numbers.good(); ++i) {
    times.starts.push_back(numbers.next(least, i == 0 ? 0 : times.end - 1));
    least = times.starts.back() + 1;
  }
}

}  // namespace

std::string to_bytes(const ClipIndex& index) {
  std::vector<std::int64_t> all{static_cast<std::int64_t>(index.container),
                                index.stored.width,
                                index.stored.height,
                                index.upright.width,
                                index.upright.height,
                                index.has_alpha ? 1 : 0,
                                index.rotation.transposed ? 1 : 0,
                                index.rotation.mirrored_x ? 1 : 0,
                                index.rotation.mirrored_y ? 1 : 0,
                                index.times.tick_num,
                                index.times.tick_den,
                                index.times.end,
                                static_cast<std::int64_t>(index.times.starts.size())};
  all.insert(all.end(), index.times.starts.begin(), index.times.starts.end());
  all.push_back(index.first_shown);
  all.push_back(static_cast<std::int64_t>(index.key_frames.size()));
  for (const KeyFrame& key : index.key_frames) {
    all.push_back(key.shown);
    all.push_back(key.decoded);
  }
  return {reinterpret_cast<const char*>(all.data()), all.size() * sizeof(all[0])};
}

std::optional<ClipIndex> clip_index_from(const std::string& bytes) {
  Numbers numbers(bytes);
  ClipIndex index;
  const auto container = numbers.next(0, static_cast<std::int64_t>(ClipContainer::kWebp));
  index.container = static_cast<ClipContainer>(container);
  index.stored.width = numbers.pixels(kClipEdgeMaxPx);
  index.stored.height = numbers.pixels(kClipEdgeMaxPx);
  index.upright.width = numbers.pixels(kUprightMaxPx);
  index.upright.height = numbers.pixels(kUprightMaxPx);
  index.has_alpha = numbers.flag();
  index.rotation.transposed = numbers.flag();
  index.rotation.mirrored_x = numbers.flag();
  index.rotation.mirrored_y = numbers.flag();
  read_times(numbers, index.times);
  index.first_shown = numbers.next(-kTickMax, kTickMax);
  const std::int64_t keys = numbers.count(std::numeric_limits<int>::max(), 2);
  for (std::int64_t i = 0; i < keys && numbers.good(); ++i) {
    const std::int64_t shown = numbers.next(-kTickMax, kTickMax);
    index.key_frames.push_back({shown, numbers.next(-kTickMax, kTickMax)});
  }
  return numbers.good() ? std::optional(std::move(index)) : std::nullopt;
}

}  // namespace pytoon::media
