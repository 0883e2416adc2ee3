// The bytes of an H.264 stream, as far as muxing needs them: NAL units in Annex B form (start
// codes) and in MP4 form (4-byte lengths), and the avcC record that carries the parameter sets.
//
// Pure functions, safe from any thread. Sources: ITU-T H.264 section 7.3.1 and annex B;
// ISO/IEC 14496-15 section 5.3.3.1 (AVCDecoderConfigurationRecord).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace pytoon::media {

using ByteSpan = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

struct ParameterSets {
  std::vector<Bytes> sps;  // sequence parameter sets
  std::vector<Bytes> pps;  // picture parameter sets
  bool operator==(const ParameterSets&) const = default;
};

// The SPS and PPS of an Annex B stream. kMedia when either is missing.
Result<ParameterSets> parameter_sets(ByteSpan annex_b);
// kMedia when the record is torn, or its lengths are not of 4 bytes.
Result<ParameterSets> parse_avcc(ByteSpan record);
// Needs at least one SPS; what parameter_sets() returned will do.
Bytes make_avcc(const ParameterSets& sets);

// Replaces `out` by the slices of one Annex B access unit, each with its length before it.
// Parameter sets (they are in the avcC), delimiters and SEI (nothing we need) are left out.
void slices_with_lengths(ByteSpan annex_b, Bytes& out);
// Whether an access unit in MP4 form starts a decodable sequence. Torn bytes don't.
bool starts_sequence(ByteSpan access_unit);

}  // namespace pytoon::media
