// What one segment is made from, from the plan to the scene: the job's own images and clips, the
// plain card, or a clip that an engine generated for it. The database keeps it with the segment
// (kind, and the clip's object key and hash); workers fill in the clip's path when they need it.
//
// Thread rule: values.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pytoon::plan {

// A file that a job is made from. Of one that is not needed for what is asked, both may be empty.
struct InputFile {
  std::filesystem::path path;  // local; empty where only the hash counts
  std::string sha256;          // of its bytes, in hex
};

enum class SourceKind {
  kImages,  // the job's own: the compositor moves over its images and plays its clips
  kCard,    // the plain branded card of the last engine, with the job's image, captions and logo
  kClip,    // a clip that an engine made: it fills the frame, or is OVERLAY's background
};

struct SegmentSource {
  SourceKind kind = SourceKind::kImages;
  std::optional<InputFile> clip;  // kClip only

  SegmentSource() = default;
  SegmentSource(SourceKind k, std::optional<InputFile> made = std::nullopt)
      : kind(k), clip(std::move(made)) {}
};

}  // namespace pytoon::plan
