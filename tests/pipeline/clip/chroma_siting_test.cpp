// Wherever a clip's chroma samples lie, an edge of colour stays where it was.
#include <fstream>

#include "pipeline/media/clip/inspect_clip.h"
#include "tests/pipeline/clip/clip_fixture.h"

namespace pytoon::media {
namespace {

constexpr gpu::Size kSize{128, 96};
// Between these columns and rows, and the ones before them. Neither is where a sample of chroma
// of 4:2:0 begins.
constexpr int kColumn = 61;
constexpr int kRow = 45;
constexpr double kEdgeX = kColumn - 0.5;
constexpr double kEdgeY = kRow - 0.5;
constexpr double kWithin = 0.25;

// Cb has an upright edge and Cr a level one, upon even grey, so that each is measured by itself.
void write_chart(const std::filesystem::path& file, int swing) {
  std::ofstream raw(file, std::ios::binary);
  for (int plane = 0; plane < 3; ++plane) {
    for (int y = 0; y < kSize.height; ++y) {
      for (int x = 0; x < kSize.width; ++x) {
        const bool before = plane == 1 ? x < kColumn : y < kRow;
        const int value = plane == 0 ? 126 : 128 + (before ? -swing : swing);
        raw.put(static_cast<char>(value));
      }
    }
  }
}

// Where samples step from their first value to their last, in the unit of `first` and `step`: the
// place of the first sample, and from one to the next. Whatever filter drew the step, its place is
// in the sum.
double edge_of(const std::vector<double>& samples, double first, double step) {
  const double before = samples[1];
  const double after = samples[samples.size() - 2];
  double sum = 0;
  for (const double value : samples) sum += (value - after) / (before - after);
  return first - step / 2 + step * sum;
}

// Means along the edge, away from the frame's border.
template <typename Sample>
std::vector<double> across(int count, int along, Sample&& sample) {
  std::vector<double> means;
  for (int i = 0; i < count; ++i) {
    double sum = 0;
    for (int n = along / 4; n < along * 3 / 4; ++n) sum += sample(i, n);
    means.push_back(sum / (along * 3 / 4 - along / 4));
  }
  return means;
}

void expect_edges(const gpu::Nv12Frame& frame, const std::string& what) {
  const auto chroma = [&](int x, int y, int c) {
    return frame.chroma[static_cast<std::size_t>(y) * frame.chroma_pitch_bytes +
                        static_cast<std::size_t>(2 * x + c)];
  };
  const int width = frame.size.width / 2;
  const int height = frame.size.height / 2;
  const auto cb = across(width, height, [&](int x, int y) { return chroma(x, y, 0); });
  const auto cr = across(height, width, [&](int y, int x) { return chroma(x, y, 1); });
  EXPECT_NEAR(edge_of(cb, 0, 2), kEdgeX, kWithin) << what << ": across";
  EXPECT_NEAR(edge_of(cr, 0.5, 2), kEdgeY, kWithin) << what << ": down";
}

// Blue goes with Cb alone and red with Cr alone, since luma is even.
void expect_edges(const gpu::RgbaImage& image, const std::string& what) {
  const auto blue =
      across(image.size.width, image.size.height, [&](int x, int y) { return image.at(x, y)[2]; });
  const auto red =
      across(image.size.height, image.size.width, [&](int y, int x) { return image.at(x, y)[0]; });
  EXPECT_NEAR(edge_of(blue, 0, 1), kEdgeX, kWithin) << what << ": across";
  EXPECT_NEAR(edge_of(red, 0, 1), kEdgeY, kWithin) << what << ": down";
}

struct Siting {
  const char* name;
  const char* filter;  // of zimg, which is told where chroma is to lie
  const char* options;
  const char* file = "clip.mp4";
  int swing = 40;
};

class ChromaSiting : public ClipTest, public testing::WithParamInterface<Siting> {};

TEST_P(ChromaSiting, EdgesStayWhereTheyWere) {
  const Siting& siting = GetParam();
  write_chart(path("chart.yuv"), siting.swing);
  ffmpeg(
      "-f rawvideo -pix_fmt yuv444p -s 128x96 -r 30 -i {}/chart.yuv -frames:v 1 -vf "
      "loop=4:1,drawbox=0:0:4:4:black:fill:enable='mod(n\\,2)',zscale=min=bt709:rin=limited:m="
      "bt709:r=limited" +
      std::string(siting.filter) + " " + siting.options +
      " -colorspace bt709 -color_range tv -frames:v 4 {}/" + siting.file);
  ASSERT_TRUE(inspect_clip(path(siting.file)));
  const auto clip = index(path(siting.file));
  const auto played = source(path(siting.file));
  if (clip->has_alpha) {
    const auto cutout = played->cutout(1);
    ASSERT_TRUE(cutout) << cutout.failure().detail;
    expect_edges(*cutout, "cut out");
    return;
  }
  const auto frame = played->frame(1);
  ASSERT_TRUE(frame) << frame.failure().detail;
  expect_edges(*frame, "frame");
  const auto first = first_frame(clip);
  ASSERT_TRUE(first) << first.failure().detail;
  expect_edges(*first, "image");
}

constexpr const char* kFine = "-c:v libx264 -preset ultrafast -qp 1";
constexpr const char* kWide =
    "-c:v libx265 -x265-params log-level=none:qp=1 -tag:v hvc1 -color_primaries smpte432 "
    "-color_trc bt709";

std::string with_siting(const char* coder, const char* siting) {
  return std::string(coder) + " -chroma_sample_location " + siting;
}

const std::string kLeft = with_siting(kFine, "left");
const std::string kTopLeft = with_siting(kFine, "topleft");
const std::string kCenter = with_siting(kFine, "center");
const std::string kTop = with_siting(kFine, "top");
const std::string kBottomLeft = with_siting(kFine, "bottomleft");
const std::string kBottom = with_siting(kFine, "bottom");
const std::string kWideTopLeft =
    "-c:v libx265 -x265-params log-level=none:qp=1:chromaloc=2 -tag:v hvc1 -color_primaries "
    "smpte432 -color_trc bt709";

INSTANTIATE_TEST_SUITE_P(
    All, ChromaSiting,
    testing::Values(
        Siting{"Unsaid", ":c=left,format=yuv420p", kFine},
        Siting{"Left", ":c=left,format=yuv420p", kLeft.c_str()},
        Siting{"TopLeft", ":c=topleft,format=yuv420p", kTopLeft.c_str()},
        Siting{"Center", ":c=center,format=yuv420p", kCenter.c_str()},
        Siting{"Top", ":c=top,format=yuv420p", kTop.c_str()},
        Siting{"BottomLeft", ":c=bottomleft,format=yuv420p", kBottomLeft.c_str()},
        Siting{"Bottom", ":c=bottom,format=yuv420p", kBottom.c_str()},
        Siting{"TopLeftTenBit", ":c=topleft,format=yuv420p10", kTopLeft.c_str()},
        Siting{"FourTwoTwo", ":c=left,format=yuv422p", kFine},
        Siting{"FourTwoTwoTenBit", ":c=left,format=yuv422p10", kLeft.c_str()},
        Siting{"FourTwoTwoProres", ":c=left,format=yuv422p10", "-c:v prores_ks -qscale:v 1",
               "a.mov"},
        Siting{"FourFourFour", ",format=yuv444p", kFine},
        Siting{"FourFourFourSaidCenter", ",format=yuv444p", kCenter.c_str()},
        Siting{"Webm", ":c=left,format=yuv420p", "-c:v libvpx-vp9 -lossless 1 -cpu-used 8",
               "a.webm"},
        Siting{"WebmFourFourFour", ",format=yuv444p", "-c:v libvpx-vp9 -lossless 1 -cpu-used 8",
               "a.webm"},
        Siting{"MatroskaSaysTopLeft", ":c=topleft,format=yuv420p",
               "-c:v libvpx-vp9 -lossless 1 -cpu-used 8 -chroma_sample_location topleft", "a.mkv"},
        Siting{"Apng", ",format=gbrp,format=rgb24", "-f apng -plays 0", "a.png"},
        Siting{"Webp", ",format=gbrp,format=bgra", "-c:v libwebp_anim -lossless 1", "a.webp"},
        Siting{"WebmAlpha", ":c=left,format=yuva420p",
               "-c:v libvpx-vp9 -crf 1 -b:v 0 -cpu-used 8 -auto-alt-ref 0", "a.webm"},
        Siting{"ProresAlpha", ",format=yuva444p10", "-c:v prores_ks -profile:v 4444 -qscale:v 1",
               "a.mov"},
        // Through linear light, where a small swing is nearly even.
        Siting{"WideGamut", ":c=left,format=yuv420p", kWide, "a.mov", 12},
        Siting{"WideGamutTopLeft", ":c=topleft,format=yuv420p", kWideTopLeft.c_str(), "a.mov", 12},
        Siting{"WideGamutFourTwoTwo", ":c=left,format=yuv422p10", kWide, "a.mov", 12},
        Siting{"WideGamutFourFourFour", ",format=yuv444p", kWide, "a.mov", 12}),
    [](const auto& siting) { return siting.param.name; });

}  // namespace
}  // namespace pytoon::media
