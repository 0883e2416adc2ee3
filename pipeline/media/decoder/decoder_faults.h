// What it means to whoever asked that a confined decoder failed or died. Inside the room only.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/failure.h"

namespace pytoon::media {

// How often a decoder is made for what another one was killed at.
inline constexpr int kDecoderTries = 2;

// The decoder broke at the file, or lied of it.
Failure broken_decoder();
// A decoder's own failure: whatever it makes of a stranger's bytes is their fault; a disk that
// can't be read is not.
Failure fault_of_answer(const Failure& said);
// Of a death's reason (file_decoder.h). Nothing: it was none of the file's, and another decoder may
// try.
std::optional<Failure> fault_of_death(const std::string& reason);
// Once no more may try.
Failure killed_from_outside();

}  // namespace pytoon::media
