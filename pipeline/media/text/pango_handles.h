// Owning handles for Pango, Cairo and fontconfig. Inside the room only.
#pragma once

#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <pango/pango.h>

#include <memory>

namespace pytoon::media {

template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using FcConfigPtr = std::unique_ptr<FcConfig, FreeBy<FcConfigDestroy>>;
using FcPatternPtr = std::unique_ptr<FcPattern, FreeBy<FcPatternDestroy>>;
using FcObjectSetPtr = std::unique_ptr<FcObjectSet, FreeBy<FcObjectSetDestroy>>;
using FcFontSetPtr = std::unique_ptr<FcFontSet, FreeBy<FcFontSetDestroy>>;

using PangoFontMapPtr = std::unique_ptr<PangoFontMap, FreeBy<g_object_unref>>;
using PangoContextPtr = std::unique_ptr<PangoContext, FreeBy<g_object_unref>>;
using PangoLayoutPtr = std::unique_ptr<PangoLayout, FreeBy<g_object_unref>>;
using PangoAttrListPtr = std::unique_ptr<PangoAttrList, FreeBy<pango_attr_list_unref>>;
using PangoFontDescriptionPtr =
    std::unique_ptr<PangoFontDescription, FreeBy<pango_font_description_free>>;

using CairoSurfacePtr = std::unique_ptr<cairo_surface_t, FreeBy<cairo_surface_destroy>>;
using CairoPtr = std::unique_ptr<cairo_t, FreeBy<cairo_destroy>>;
using CairoFontOptionsPtr =
    std::unique_ptr<cairo_font_options_t, FreeBy<cairo_font_options_destroy>>;

}  // namespace pytoon::media
