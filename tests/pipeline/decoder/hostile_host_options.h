// Decoders whose host is hostile_host.cpp, with the product's limits.
#pragma once

#include "pipeline/media/decoder/child_decoder.h"

namespace pytoon::media {

// Under AddressSanitizer a decoder may take so much more memory as the sanitizer itself took at
// its start: the shadow of the address space, terabytes that are never touched, counts as data.
ChildDecoder::Options hostile_host_options();

// Without memory AddressSanitizer ends a decoder, where it would have thrown and answered.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kThrowsBadAlloc = false;
#else
inline constexpr bool kThrowsBadAlloc = true;
#endif

}  // namespace pytoon::media
