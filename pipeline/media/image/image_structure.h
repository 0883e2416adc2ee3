// The outer structure of image files, read by our own eyes before a decoder sees them: where a JPEG
// ends and how many scans it has, and PNG chunks that decoders look for in one place only.
//
// Thread rule: pure. Sources: ITU-T T.81 annex B, PNG (third edition) sections 5 and 11.3.
#pragma once

#include <string>
#include <string_view>

namespace pytoon::media {

struct JpegStructure {
  int scans = 0;
  bool ends = false;  // has its end-of-image marker; what stands behind it is no part of it
};

JpegStructure read_jpeg_structure(std::string_view jpeg);

// The content of a PNG's first chunk of this type before its pixels; empty where there is none.
std::string_view png_chunk(std::string_view png, std::string_view type);

// An eXIf chunk may stand behind the pixels (ImageMagick writes it there), where decoders that read
// row by row find it too late: moved before them.
void move_exif_before_pixels(std::string& png);

// What a PNG says in words (tEXt, zTXt, iTXt) is taken out: nobody reads it, and each of any number
// of compressed chunks may unpack to megabytes in a decoder.
void drop_text(std::string& png);

}  // namespace pytoon::media
