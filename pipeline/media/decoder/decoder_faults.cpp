#include "pipeline/media/decoder/decoder_faults.h"

#include "base/result.h"

namespace pytoon::media {
namespace {

Failure too_much() {
  return failure(FailureKind::kInvalid,
                 "the file could not be read safely: decoding it takes more memory or time than "
                 "any good one needs; export it again, with fewer or shorter tracks");
}

}  // namespace

Failure broken_decoder() {
  return failure(FailureKind::kMalformed,
                 "the file could not be read safely: its decoder broke; export it again, or send "
                 "it in another format");
}

Failure fault_of_answer(const Failure& said) {
  if (said.kind == FailureKind::kOutOfMemory) return too_much();
  const bool machine = said.kind == FailureKind::kIo || said.kind == FailureKind::kStorageFull ||
                       said.kind == FailureKind::kUnavailable;
  return machine || traits(said.kind).http_status < 500 ? said : broken_decoder();
}

std::optional<Failure> fault_of_death(const std::string& reason) {
  if (reason == "cpu" || reason == "time") return too_much();
  // Whoever killed it from outside meant another, or the system had no memory left.
  if (reason == "killed" || reason == "host") return std::nullopt;
  return broken_decoder();
}

Failure killed_from_outside() {
  return failure(FailureKind::kUnavailable,
                 "the file could not be read safely: its decoder was killed twice from outside; "
                 "try again, and look for a machine that is short of memory");
}

}  // namespace pytoon::media
