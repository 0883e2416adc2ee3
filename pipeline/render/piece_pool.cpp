#include "pipeline/render/piece_pool.h"

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace pytoon::render {
namespace {

constexpr std::chrono::milliseconds kLookTime{20};  // how late a cancel is seen

// The longest last, since pieces are taken from the end.
std::vector<int> in_order_of_length(const std::vector<int>& frames) {
  std::vector<int> pieces(frames.size());
  std::iota(pieces.rbegin(), pieces.rend(), 0);
  std::ranges::stable_sort(pieces, std::less{}, [&frames](int piece) {
    return frames[static_cast<std::size_t>(piece)];
  });
  return pieces;
}

Status encode_contained(const media::PieceWork& work, int piece, const CancelToken& stop) {
  try {
    return work.encode(piece, stop);
  } catch (const std::exception& error) {
    return failure(FailureKind::kInternal, error.what());
  }
}

}  // namespace

PiecePool::PiecePool(int threads, std::chrono::milliseconds obey)
    : threads_max_(std::max(1, threads)), obey_(obey) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < threads_max_; ++i) add_thread();
}

PiecePool::~PiecePool() {
  {
    const std::lock_guard lock(mutex_);
    CHECK(segments_.empty(), "a pool of pieces goes after the segments it encodes");
    closing_ = true;
  }
  queued_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PiecePool::add_thread() {
  ++running_;
  threads_.emplace_back([this] { work(); });
}

int PiecePool::waiting() const {
  const std::lock_guard lock(mutex_);
  std::size_t pieces = 0;
  for (const Segment& segment : segments_) pieces += segment.left.size();
  return static_cast<int>(pieces);
}

Status PiecePool::run(const media::PieceWork& work) {
  std::unique_lock lock(mutex_);
  const Place place = segments_.insert(segments_.end(), Segment{});
  Segment& segment = *place;
  segment.work = &work;
  segment.left = in_order_of_length(work.frames);
  queued_.notify_all();
  await(segment, lock);
  const std::optional<Failure> failed = std::move(segment.failed);
  segments_.erase(place);
  if (failed) return *failed;
  return ok_status();
}

void PiecePool::await(Segment& segment, std::unique_lock<std::mutex>& lock) {
  std::chrono::milliseconds deaf{0};
  while (!segment.left.empty() || segment.in_work > 0) {
    const bool news = ended_.wait_for(lock, kLookTime) == std::cv_status::no_timeout;
    if (segment.work->cancel.cancelled()) {
      end(segment, failure(FailureKind::kCancelled, "cancelled between pieces"));
    }
    if (!segment.stop.cancelled()) continue;
    if (!news) deaf += kLookTime;
    if (deaf >= obey_) replace_lost(segment);
  }
}

// What a stopped piece says is a consequence of the first failure.
void PiecePool::end(Segment& segment, Failure why) {
  if (!segment.failed) segment.failed = std::move(why);
  segment.left.clear();
  segment.stop.cancel();
}

void PiecePool::replace_lost(Segment& segment) {
  for (; segment.lost < segment.in_work && !closing_; ++segment.lost) {
    ++lost_;
    add_thread();
  }
}

void PiecePool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::optional<Place> place = next();
    while (!place && !closing_ && running_ <= threads_max_ + lost_) {
      queued_.wait(lock);
      place = next();
    }
    // A thread that was lost and came back finds that another one has its place.
    if (!place || running_ > threads_max_ + lost_) break;
    encode(**place, lock);
  }
  --running_;
}

std::optional<PiecePool::Place> PiecePool::next() {
  std::optional<Place> best;
  const auto rank = [](const Segment& segment) {
    const int longest = segment.work->frames[static_cast<std::size_t>(segment.left.back())];
    return std::pair(segment.in_work, -longest);
  };
  for (Place place = segments_.begin(); place != segments_.end(); ++place) {
    const int at_once = place->work->at_once;
    if (place->left.empty() || (at_once > 0 && place->in_work >= at_once)) continue;
    if (!best || rank(*place) < rank(**best)) best = place;
  }
  return best;
}

void PiecePool::encode(Segment& segment, std::unique_lock<std::mutex>& lock) {
  const int piece = segment.left.back();
  segment.left.pop_back();
  ++segment.in_work;
  lock.unlock();
  const Status encoded = encode_contained(*segment.work, piece, segment.stop);
  lock.lock();
  --segment.in_work;
  if (segment.lost > segment.in_work) {
    --segment.lost;
    --lost_;
  }
  if (!encoded) end(segment, encoded.failure());
  ended_.notify_all();
  queued_.notify_all();  // a segment with a limit may go on
}

}  // namespace pytoon::render
