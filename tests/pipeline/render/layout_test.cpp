#include "pipeline/render/layout.h"

#include <gtest/gtest.h>

namespace pytoon::render {
namespace {

spec::RenderSpec spec_with(spec::SafeZone zone, int margin) {
  spec::RenderSpec spec;
  spec.constraints.safe_zones = zone;
  spec.style.caption.safe_margin_px = margin;
  return spec;
}

TEST(CaptionZone, KeepsClearOfPlatformAndMargin) {
  const gpu::Rect zone = caption_zone(spec_with({269, 140, 672, 65}, 120));
  EXPECT_EQ(zone, (gpu::Rect{140, 269, 800, 979}));
  const gpu::Rect wide = caption_zone(spec_with({0, 0, 0, 0}, 120));
  EXPECT_EQ(wide, (gpu::Rect{120, 120, 840, 1680}));
}

TEST(PlaceProduct, IsNeverStretchedAndFits) {
  const gpu::Rect zone{140, 269, 800, 700};
  for (const gpu::Size size : {gpu::Size{4000, 3000}, gpu::Size{300, 4000}, gpu::Size{4000, 200},
                               gpu::Size{50, 50}, gpu::Size{1, 1}}) {
    const gpu::Rect place = place_product(size, zone, {});
    EXPECT_LE(place.width, 648);
    EXPECT_GE(place.y, zone.y - 1);
    EXPECT_LE(place.y + place.height, zone.y + zone.height + 1);
    EXPECT_NEAR(place.x + place.width / 2.0, 540, 1);
    EXPECT_EQ(place.x % 2 + place.y % 2 + place.width % 2 + place.height % 2, 0);
    const double aspect = static_cast<double>(size.width) / size.height;
    EXPECT_NEAR(place.height * aspect, place.width, 2 * std::max(1.0, aspect)) << size.width;
  }
}

TEST(PlaceProduct, StandsAtThirtyEightPercentWhereItCan) {
  const gpu::Rect place = place_product({1000, 600}, {140, 269, 800, 979}, {});
  EXPECT_NEAR(place.y + place.height / 2.0, 1920 * 0.38, 2);
}

TEST(ProductZone, LeavesTheCaptionsAlone) {
  spec::RenderSpec spec = spec_with({269, 140, 672, 65}, 120);
  spec.style.caption.position = spec::CaptionPosition::kLowerThird;
  EXPECT_EQ(product_zone(spec, 100).y, 269);
  EXPECT_LT(product_zone(spec, 100).height, 979 - 100);
  spec.style.caption.position = spec::CaptionPosition::kUpperThird;
  EXPECT_GT(product_zone(spec, 100).y, 269 + 100);
  EXPECT_EQ(product_zone(spec, 0), caption_zone(spec));
}

TEST(PlaceLogo, TopRightThirtyFromTheEdges) {
  EXPECT_EQ(place_logo({400, 200}, {}), (gpu::Rect{930, 30, 120, 60}));
}

}  // namespace
}  // namespace pytoon::render
