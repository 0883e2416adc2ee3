// The threads of a process that encode pieces, and the one queue of the pieces of all its segments:
// whichever thread is free takes the next one, so that one segment alone uses all of them and many
// share them.
//
// Which is next: of the segment with the fewest pieces in work, so that none starves another; among
// those the longest piece, so that what is left at the end is short; else the segment that came
// first. Within a segment the longest first too, then in order.
//
// A piece that does not obey its stop within a few seconds keeps its thread: another one takes that
// thread's place, and goes when it comes back. run() still waits for the piece, which borrows what
// the caller owns; the caller's thread hangs with it and is judged by whoever watches that.
//
// Thread rule: run() from any thread; it looks at its work's cancel token every 20 ms. Nothing may
// be running when the pool goes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pipeline/media/piece_executor.h"

namespace pytoon::render {

class PiecePool final : public media::PieceExecutor {
 public:
  // obey: how long a piece that was told to stop may go on before its thread counts as lost.
  explicit PiecePool(int threads, std::chrono::milliseconds obey = std::chrono::seconds(5));
  ~PiecePool() override;
  PiecePool(const PiecePool&) = delete;
  PiecePool& operator=(const PiecePool&) = delete;

  Status run(const media::PieceWork& work) override;

  int threads() const { return threads_max_; }
  // Pieces that nobody has begun yet.
  int waiting() const;

 private:
  // A segment in work.
  struct Segment {
    const media::PieceWork* work = nullptr;  // run()'s caller's, who waits
    std::vector<int> left;                   // pieces not begun, the next one last
    int in_work = 0;
    int lost = 0;  // of those: threads that were replaced
    CancelToken stop;
    std::optional<Failure> failed;
  };
  using Place = std::list<Segment>::iterator;

  void work();
  // With the lock held, as all that follows.
  std::optional<Place> next();
  void encode(Segment& segment, std::unique_lock<std::mutex>& lock);
  void end(Segment& segment, Failure why);
  void await(Segment& segment, std::unique_lock<std::mutex>& lock);
  void replace_lost(Segment& segment);
  void add_thread();

  const int threads_max_;
  const std::chrono::milliseconds obey_;
  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable queued_;
  std::condition_variable ended_;
  std::list<Segment> segments_;  // in the order of their coming
  std::vector<std::thread> threads_;
  int running_ = 0;  // threads that have not ended
  int lost_ = 0;     // of those: held by a piece that does not obey
  bool closing_ = false;
};

}  // namespace pytoon::render
