#include "pipeline/spec/names.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace pytoon::spec {
namespace {

template <typename Enum>
using Table = std::vector<std::pair<Enum, std::string_view>>;

template <typename Enum>
const Table<Enum>& table();

template <>
const Table<Archetype>& table() {
  static const Table<Archetype> rows{{Archetype::kProductHero, "PRODUCT_HERO"},
                                     {Archetype::kOverlay, "OVERLAY"},
                                     {Archetype::kMemeText, "MEME_TEXT"}};
  return rows;
}

template <>
const Table<EnginePolicy>& table() {
  static const Table<EnginePolicy> rows{{EnginePolicy::kLocalOnly, "local_only"},
                                        {EnginePolicy::kLocalPreferred, "local_preferred"},
                                        {EnginePolicy::kApiOnly, "api_only"}};
  return rows;
}

template <>
const Table<MotionProfile>& table() {
  static const Table<MotionProfile> rows{{MotionProfile::kMinimal, "minimal"},
                                         {MotionProfile::kSubtle, "subtle"},
                                         {MotionProfile::kSmooth, "smooth"},
                                         {MotionProfile::kPunchy, "punchy"},
                                         {MotionProfile::kChaotic, "chaotic"}};
  return rows;
}

template <>
const Table<CaptionPosition>& table() {
  static const Table<CaptionPosition> rows{{CaptionPosition::kLowerThird, "lower_third"},
                                           {CaptionPosition::kCenter, "center"},
                                           {CaptionPosition::kUpperThird, "upper_third"},
                                           {CaptionPosition::kTopBar, "top_bar"}};
  return rows;
}

template <>
const Table<SizeRule>& table() {
  static const Table<SizeRule> rows{
      {SizeRule::kSmall, "small"}, {SizeRule::kAuto, "auto"}, {SizeRule::kLarge, "large"}};
  return rows;
}

template <>
const Table<TransitionType>& table() {
  static const Table<TransitionType> rows{{TransitionType::kCrossfade, "crossfade"},
                                          {TransitionType::kCut, "cut"}};
  return rows;
}

template <>
const Table<Quality>& table() {
  static const Table<Quality> rows{{Quality::kDraft, "draft"},
                                   {Quality::kFast, "fast"},
                                   {Quality::kBalanced, "balanced"},
                                   {Quality::kBest, "best"}};
  return rows;
}

}  // namespace

template <typename Enum>
std::string_view name_of(Enum value) {
  for (const auto& [key, name] : table<Enum>()) {
    if (key == value) return name;
  }
  CHECK(false, "a value has no name");
}

template <typename Enum>
std::optional<Enum> from_name(std::string_view name) {
  for (const auto& [key, text] : table<Enum>()) {
    if (text == name) return key;
  }
  return std::nullopt;
}

template <typename Enum>
std::vector<std::string_view> all_names() {
  std::vector<std::string_view> names;
  for (const auto& row : table<Enum>()) names.push_back(row.second);
  return names;
}

#define PYTOON_INSTANTIATE(Enum)                            \
  template std::string_view name_of(Enum);                  \
  template std::optional<Enum> from_name(std::string_view); \
  template std::vector<std::string_view> all_names<Enum>();
PYTOON_INSTANTIATE(Archetype)
PYTOON_INSTANTIATE(EnginePolicy)
PYTOON_INSTANTIATE(MotionProfile)
PYTOON_INSTANTIATE(CaptionPosition)
PYTOON_INSTANTIATE(SizeRule)
PYTOON_INSTANTIATE(TransitionType)
PYTOON_INSTANTIATE(Quality)
#undef PYTOON_INSTANTIATE

}  // namespace pytoon::spec
