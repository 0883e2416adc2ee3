// The kinds of objects that Pytoon itself writes to storage, by the folder of their key. A new kind
// is a row here; the compiler then asks the retention store what refers to it. What lies in other
// folders belongs to operators.
//
// Thread rule: pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pytoon::jobs {

enum class ObjectKind {
  kSegment,  // segments/CONTENT_KEY.EPOCH.mp4
  kFootage,  // footage/JOB/SEGMENT.EPOCH.mp4
  kAudio,    // audio/JOB.EPOCH.mp4
  kUpload,   // assets/TENANT/SHA256.png
  kOutput,   // outputs/JOB/RUN.EPOCH/output.mp4
  kJobFile,  // jobs/JOB/...: links for people to look at
};

struct ObjectFolder {
  std::string_view prefix;
  ObjectKind kind;
};

inline constexpr std::array kObjectFolders{
    ObjectFolder{"segments/", ObjectKind::kSegment},
    ObjectFolder{"footage/", ObjectKind::kFootage},
    ObjectFolder{"audio/", ObjectKind::kAudio},
    ObjectFolder{"sound/", ObjectKind::kAudio},  // as earlier releases called it
    ObjectFolder{"assets/", ObjectKind::kUpload},
    ObjectFolder{"outputs/", ObjectKind::kOutput},
    ObjectFolder{"jobs/", ObjectKind::kJobFile}};

// nullopt: not ours.
constexpr std::optional<ObjectKind> object_kind(std::string_view key) {
  for (const ObjectFolder& folder : kObjectFolders) {
    if (key.starts_with(folder.prefix)) return folder.kind;
  }
  return std::nullopt;
}

// The label of its metric.
constexpr std::string_view name_of(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kSegment:
      return "segment";
    case ObjectKind::kFootage:
      return "footage";
    case ObjectKind::kAudio:
      return "audio";
    case ObjectKind::kUpload:
      return "upload";
    case ObjectKind::kOutput:
      return "output";
    case ObjectKind::kJobFile:
      return "job_file";
  }
  return "";
}

}  // namespace pytoon::jobs
