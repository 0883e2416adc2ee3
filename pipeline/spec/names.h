// The closed vocabularies of the contract and their names on the wire. One table each, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pytoon::spec {

enum class Archetype { kProductHero, kOverlay, kMemeText };
enum class EnginePolicy { kLocalOnly, kLocalPreferred, kApiOnly };
enum class MotionProfile { kMinimal, kSubtle, kSmooth, kPunchy, kChaotic };
enum class CaptionPosition { kLowerThird, kCenter, kUpperThird, kTopBar };
enum class SizeRule { kSmall, kAuto, kLarge };
enum class TransitionType { kCrossfade, kCut };
// How much time goes into encoding, least first: what each costs is in config/engine.yaml.
enum class Quality { kDraft, kFast, kBalanced, kBest };

// name_of(Archetype::kOverlay) == "OVERLAY"; the others are lower case: "local_only", "top_bar".
template <typename Enum>
std::string_view name_of(Enum value);
template <typename Enum>
std::optional<Enum> from_name(std::string_view name);
// Every name, in order: for error messages and schemas.
template <typename Enum>
std::vector<std::string_view> all_names();

}  // namespace pytoon::spec
