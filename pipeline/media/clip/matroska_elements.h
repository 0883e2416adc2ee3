// A first look at a WebM or Matroska file before a demuxer is trusted with it: is it one, is it
// whole, and does its structure stay within bounds? A demuxer keeps a record of each track, cue,
// tag and chapter, of which each may take two bytes of the file; it unpacks compressed blocks; and
// its seek table may send it to bytes that are no element of the file.
//
// Segments and clusters of unknown size, as browsers and live recorders write them, end with what
// holds them or before the next of their kind.
//
// Thread rule: any thread. Blocks on small reads, one an element. Source: RFC 8794 (EBML), RFC 9559
// (Matroska).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::media {

// "webm" or "mkv". kUnsupportedType for another EBML document, kMalformed for a file that is cut
// off or whose elements don't fit into each other, kInvalid for encrypted or compressed tracks and
// for more elements than any clip needs.
Result<std::string> check_matroska_elements(const std::filesystem::path& path);

}  // namespace pytoon::media
