#include "pipeline/media/gst/segment_file.h"

#include <utility>

namespace pytoon::media {

Result<std::unique_ptr<SegmentFile>> SegmentFile::create(const std::filesystem::path& path,
                                                         const VideoFormat& format) {
  auto writer = Mp4Writer::create(path);
  if (!writer) return writer.failure();
  return std::make_unique<SegmentFile>(std::move(*writer), format);
}

Status SegmentFile::add(EncodedPiece piece) {
  const std::lock_guard lock(mutex_);
  const int first = piece.range.first;
  waiting_.emplace(first, std::move(piece));
  for (auto next = waiting_.find(written_); next != waiting_.end();
       next = waiting_.find(written_)) {
    if (Status written = write(next->second); !written) return written;
    written_ = next->second.range.last;
    waiting_.erase(next);
  }
  return ok_status();
}

// Only an MP4 with one set of parameters can be joined to others without encoding anew.
Status SegmentFile::write(const EncodedPiece& piece) {
  if (!sets_) {
    sets_ = piece.sets;
    const Result<int> track = writer_->add_video(format_, *sets_);
    if (!track) return track.failure();
    track_ = *track;
  }
  if (piece.sets != *sets_) {
    return failure(FailureKind::kMedia, "the pieces of a segment differ in their parameter sets");
  }
  for (const EncodedFrame& frame : piece.frames) {
    const Mp4Sample sample{.bytes = frame.bytes,
                           .show_at = piece.range.first + frame.show_at,
                           .decode_at = piece.range.first + frame.decode_at,
                           .duration = 1,
                           .key = starts_sequence(frame.bytes)};
    if (Status written = writer_->write(track_, sample); !written) return written;
  }
  return ok_status();
}

Status SegmentFile::finish() {
  const std::lock_guard lock(mutex_);
  CHECK(waiting_.empty(), "a piece of the segment is missing");
  return writer_->finish();
}

}  // namespace pytoon::media
