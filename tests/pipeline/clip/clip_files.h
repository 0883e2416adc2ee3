// Clips made for tests by the ffmpeg program. Each frame carries its number as a grid of 4 x 4
// light and dark cells, so that a decoded picture tells which frame it is and how it was turned.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "gpu/image.h"

namespace pytoon::media {

// Bit i of a number is cell i, counted in rows from the top left.
constexpr int kCodeBits = 16;

void paint_code(int code, gpu::Size size, std::uint8_t* luma);
int read_code(const gpu::Nv12Frame& picture);

// Codings for make_clip().
inline constexpr const char* kH264 = "-c:v libx264 -preset ultrafast -bf 2 -g 12 -crf 20";
inline constexpr const char* kHevc =
    "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:bframes=3 -tag:v hvc1";

// Runs ffmpeg with words for a shell; {} is the folder.
void run_ffmpeg(const std::filesystem::path& folder, const std::string& words);
// A clip of numbered frames: `options` stand between ffmpeg's input and output. rate is the
// input's, such as "30000/1001"; numbers begin at `first`.
std::filesystem::path make_clip(const std::filesystem::path& folder, const std::string& name,
                                int frames, const std::string& rate,
                                const std::string& options = kH264, gpu::Size size = {160, 96},
                                int first = 0);

}  // namespace pytoon::media
