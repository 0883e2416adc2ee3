// The MP4 of a segment, written from its pieces: they may come in any order from any thread, the
// file gets them in theirs. A piece waits in memory for those before it and no longer.
//
// Thread rule: any thread; add() blocks on the disk. Errors: as Mp4Writer's, and kMedia for pieces
// that can't be one stream.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "pipeline/media/gst/mp4_writer.h"
#include "pipeline/media/gst/piece_encoder.h"

namespace pytoon::media {

class SegmentFile {
 public:
  static Result<std::unique_ptr<SegmentFile>> create(const std::filesystem::path& path,
                                                     const VideoFormat& format);
  // For create().
  SegmentFile(std::unique_ptr<Mp4Writer> writer, const VideoFormat& format)
      : format_(format), writer_(std::move(writer)) {}

  // Pieces join where their ranges meet; the first begins at frame 0.
  Status add(EncodedPiece piece);
  // When all pieces were added: the file is whole.
  Status finish();

 private:
  Status write(const EncodedPiece& piece);

  const VideoFormat format_;
  std::mutex mutex_;  // protects what follows
  std::unique_ptr<Mp4Writer> writer_;
  std::optional<ParameterSets> sets_;      // of the first piece
  int track_ = -1;                         // the writer's
  int written_ = 0;                        // frames
  std::map<int, EncodedPiece> waiting_{};  // by their first frame
};

}  // namespace pytoon::media
