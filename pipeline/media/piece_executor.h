// Who encodes the pieces of a segment. Several segments may be given at the same time; their pieces
// mix.
#pragma once

#include <functional>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"

namespace pytoon::media {

// The pieces of one segment. encode() is called at most once for each, from any thread, for several
// pieces at once; it returns soon after its token is cancelled, and does not throw.
struct PieceWork {
  std::vector<int> frames;  // the length of each piece
  int at_once = 0;          // the most pieces that may be in work together; 0: no limit
  CancelToken cancel;       // the caller's
  std::function<Status(int piece, const CancelToken& stop)> encode;
};

class PieceExecutor {
 public:
  virtual ~PieceExecutor() = default;
  // Blocks until no piece is in work any more. When one fails, those in work are told to stop, no
  // other is begun, and the first failure is the answer; kCancelled when the caller cancelled.
  virtual Status run(const PieceWork& work) = 0;
};

// One piece after the other on the calling thread.
class PiecesInTurn final : public PieceExecutor {
 public:
  Status run(const PieceWork& work) override {
    for (std::size_t piece = 0; piece < work.frames.size(); ++piece) {
      if (work.cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
      const Status encoded = work.encode(static_cast<int>(piece), work.cancel);
      if (!encoded) return encoded;
    }
    return ok_status();
  }
};

}  // namespace pytoon::media
