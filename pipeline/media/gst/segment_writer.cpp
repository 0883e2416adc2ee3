#include "pipeline/media/segment_writer.h"

#include <mutex>
#include <utility>
#include <vector>

#include "pipeline/media/gst/publication.h"
#include "pipeline/media/gst/segment_file.h"
#include "pipeline/media/pieces.h"

namespace pytoon::media {
namespace {

// Frames drawn so far, of all pieces; told in the order in which they are counted.
class Progress {
 public:
  explicit Progress(const std::function<void(int)>& tell) : tell_(tell) {}

  void count_frame() {
    const std::lock_guard lock(mutex_);
    ++drawn_;
    if (tell_) tell_(drawn_);
  }

 private:
  const std::function<void(int)>& tell_;
  std::mutex mutex_;
  int drawn_ = 0;
};

Status write_pieces(const FrameSourceMaker& make_frames, const SegmentOrder& order,
                    PieceExecutor& executor, SegmentFile& file) {
  const std::vector<FrameRange> pieces = pieces_of(order.frame_count, order.encoder);
  SegmentOrder of_pieces = order;
  of_pieces.encoder = settings_of_pieces(order.encoder, pieces.size());
  Progress progress(order.on_progress);
  PieceWork work;
  for (const FrameRange& piece : pieces) work.frames.push_back(piece.count());
  work.at_once = order.pieces_at_once;
  work.cancel = order.cancel;
  work.encode = [&](int index, const CancelToken& stop) {
    return contained([&]() -> Status {
      const std::shared_ptr<FrameSource> frames = make_frames(stop);
      Result<EncodedPiece> piece =
          encode_piece(*frames, pieces.at(static_cast<std::size_t>(index)), of_pieces, stop,
                       [&progress] { progress.count_frame(); });
      if (!piece) return piece.failure();
      return file.add(std::move(*piece));
    });
  };
  return executor.run(work);
}

Status write(const FrameSourceMaker& make_frames, const SegmentOrder& order,
             PieceExecutor& executor) {
  if (order.frame_count < 1) return failure(FailureKind::kInvalid, "a segment needs a frame");
  const Publication published(order.output);
  const auto file = SegmentFile::create(published.temporary(), order.format);
  if (!file) return file.failure();
  Status done = write_pieces(make_frames, order, executor, **file);
  if (done) done = (*file)->finish();
  return done ? published.publish() : done;
}

}  // namespace

Status write_segment(const FrameSourceMaker& make_frames, const SegmentOrder& order,
                     PieceExecutor& executor) {
  return contained([&] { return write(make_frames, order, executor); });
}

Status write_segment(FrameSource& frames, const SegmentOrder& order) {
  PiecesInTurn in_turn;
  const auto borrow = [&frames](const CancelToken&) {
    return std::shared_ptr<FrameSource>(std::shared_ptr<void>(), &frames);
  };
  return write_segment(borrow, order, in_turn);
}

}  // namespace pytoon::media
