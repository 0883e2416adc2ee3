#include "pipeline/media/image/colour_tag.h"

#include <cmath>
#include <cstdint>

#include "pipeline/media/image/image_structure.h"

namespace pytoon::media {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;  // rows

constexpr Chromaticity kD65{0.3127, 0.3290};
constexpr Primaries kSrgb{{{0.640, 0.330}, {0.300, 0.600}, {0.150, 0.060}, kD65}};
constexpr Primaries kBt2020{{{0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}, kD65}};
constexpr Primaries kDciP3{{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, {0.314, 0.351}}};
constexpr Primaries kDisplayP3{{{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}, kD65}};

constexpr Matrix kBradford{
    {{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};

Vector product(const Matrix& m, const Vector& v) {
  Vector out{};
  for (std::size_t row = 0; row < 3; ++row) {
    out[row] = m[row][0] * v[0] + m[row][1] * v[1] + m[row][2] * v[2];
  }
  return out;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      for (std::size_t i = 0; i < 3; ++i) out[row][column] += a[row][i] * b[i][column];
    }
  }
  return out;
}

Matrix scaled(const Vector& by) { return {{{by[0], 0, 0}, {0, by[1], 0}, {0, 0, by[2]}}}; }

double determinant(const Matrix& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
         m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

Matrix inverse(const Matrix& m) {
  Matrix out{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      const std::size_t r0 = (column + 1) % 3;
      const std::size_t r1 = (column + 2) % 3;
      const std::size_t c0 = (row + 1) % 3;
      const std::size_t c1 = (row + 2) % 3;
      out[row][column] = (m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]) / determinant(m);
    }
  }
  return out;
}

// XYZ of a luminance of 1.
Vector xyz_of(Chromaticity c) { return {c.x / c.y, 1, (1 - c.x - c.y) / c.y}; }

// From linear RGB of these primaries to XYZ. Their xy, as columns, without the sum to white.
Matrix columns_of(const Primaries& primaries) {
  Matrix columns{};
  for (std::size_t i = 0; i < 3; ++i) {
    const Vector xyz = xyz_of(primaries[i]);
    for (std::size_t row = 0; row < 3; ++row) columns[row][i] = xyz[row];
  }
  return columns;
}

Matrix to_xyz(const Primaries& primaries) {
  const Matrix columns = columns_of(primaries);
  return product(columns, scaled(product(inverse(columns), xyz_of(primaries[3]))));
}

Matrix to_linear_srgb(const Primaries& primaries) {
  const Vector from = product(kBradford, xyz_of(primaries[3]));
  const Vector to = product(kBradford, xyz_of(kD65));
  const Matrix adapted =
      product(inverse(kBradford),
              product(scaled({to[0] / from[0], to[1] / from[1], to[2] / from[2]}), kBradford));
  return product(inverse(to_xyz(kSrgb)), product(adapted, to_xyz(primaries)));
}

// Whether three colours and a white make a colour space at all.
bool sensible(const Primaries& primaries) {
  for (const Chromaticity& c : primaries) {
    if (c.y < 0.001 || c.x < 0 || c.x + c.y > 1.001) return false;
  }
  const Matrix columns = columns_of(primaries);
  if (std::abs(determinant(columns)) < 1e-3) return false;
  for (const double share : product(inverse(columns), xyz_of(primaries[3]))) {
    if (share <= 0) return false;  // white lies outside of the triangle
  }
  return true;
}

bool same(const Primaries& a, const Primaries& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i].x - b[i].x) > 0.001 || std::abs(a[i].y - b[i].y) > 0.001) return false;
  }
  return true;
}

// The n-th number of a chunk; PNG keeps such numbers as 100,000 times themselves.
double number_of(std::string_view chunk, std::size_t n) {
  std::uint32_t value = 0;
  for (const char c : chunk.substr(4 * n, 4)) value = value << 8U | static_cast<unsigned char>(c);
  return value / 100'000.0;
}

// Of a gAMA chunk, which has the exponent of the camera, not that of the display.
double gamma_of(std::string_view chunk) {
  constexpr double kUsual = 1 / 2.2;
  constexpr double kLeast = 0.1;
  constexpr double kMost = 10;
  if (chunk.size() != 4) return 0;
  const double exponent = number_of(chunk, 0);
  const bool usual = std::abs(exponent - kUsual) <= kUsual / 100;
  return usual || exponent < kLeast || exponent > kMost ? 0 : 1 / exponent;
}

// Of a cHRM chunk, which begins with the white.
std::optional<Primaries> primaries_of(std::string_view chunk) {
  if (chunk.size() != 32) return std::nullopt;
  const auto point = [&](std::size_t n) {
    return Chromaticity{number_of(chunk, 2 * n), number_of(chunk, 2 * n + 1)};
  };
  const Primaries primaries{point(1), point(2), point(3), point(0)};
  if (!sensible(primaries) || same(primaries, kSrgb)) return std::nullopt;
  return primaries;
}

// Code values of one band to linear light, by a table.
VipsImagePtr table_of(double gamma, bool deep) {
  const VipsImagePtr codes = made([&](VipsImage** out) {
    return vips_identity(out, "ushort", deep ? TRUE : FALSE, "size", deep ? 65536 : 256, nullptr);
  });
  if (!codes) return nullptr;
  const VipsImagePtr unit = made([&](VipsImage** out) {
    return vips_linear1(codes.get(), out, 1 / (deep ? 65535.0 : 255.0), 0, nullptr);
  });
  if (!unit) return nullptr;
  return made([&](VipsImage** out) { return vips_pow_const1(unit.get(), out, gamma, nullptr); });
}

VipsImagePtr typed(VipsImage* image, VipsInterpretation meaning) {
  return made(
      [&](VipsImage** out) { return vips_copy(image, out, "interpretation", meaning, nullptr); });
}

VipsImagePtr linear_of(const ColourTag& tag, VipsImage* colour) {
  const bool deep = vips_image_get_format(colour) == VIPS_FORMAT_USHORT;
  if (tag.gamma == 0) {
    const VipsImagePtr rgb =
        typed(colour, deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
    if (!rgb) return nullptr;
    return made([&](VipsImage** out) { return vips_sRGB2scRGB(rgb.get(), out, nullptr); });
  }
  const VipsImagePtr table = table_of(tag.gamma, deep);
  if (!table) return nullptr;
  return made([&](VipsImage** out) { return vips_maplut(colour, out, table.get(), nullptr); });
}

}  // namespace

ColourTag colour_tag_of_png(std::string_view png) {
  if (const std::string_view points = png_chunk(png, "cICP"); points.size() == 4) {
    return colour_tag_of_code_points(static_cast<unsigned char>(points[0]),
                                     static_cast<unsigned char>(points[1]));
  }
  const bool said = !png_chunk(png, "iCCP").empty() || !png_chunk(png, "sRGB").empty();
  if (said) return {};
  return {gamma_of(png_chunk(png, "gAMA")), primaries_of(png_chunk(png, "cHRM")), false};
}

ColourTag colour_tag_of_code_points(int primaries, int transfer) {
  ColourTag tag;
  if (primaries == 9) tag.primaries = kBt2020;
  if (primaries == 11) tag.primaries = kDciP3;
  if (primaries == 12) tag.primaries = kDisplayP3;
  if (transfer == 4) tag.gamma = 2.2;
  if (transfer == 5) tag.gamma = 2.8;
  if (transfer == 8) tag.gamma = 1;
  tag.hdr = transfer == 16 || transfer == 18;
  return tag;
}

VipsImagePtr to_srgb_by(const ColourTag& tag, VipsImage* colour) {
  VipsImagePtr light = linear_of(tag, colour);
  if (light && tag.primaries) {
    const Matrix matrix = to_linear_srgb(*tag.primaries);
    const VipsImagePtr rows(vips_image_new_matrix_from_array(3, 3, matrix.data()->data(), 9));
    light = rows ? made([&](VipsImage** out) {
      return vips_recomb(light.get(), out, rows.get(), nullptr);
    })
                 : nullptr;
  }
  if (light) light = typed(light.get(), VIPS_INTERPRETATION_scRGB);
  if (!light) return nullptr;
  return made([&](VipsImage** out) { return vips_scRGB2sRGB(light.get(), out, nullptr); });
}

}  // namespace pytoon::media
