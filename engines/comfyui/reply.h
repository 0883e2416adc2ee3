// Reads members of what a ComfyUI server answers, which may be anything: a member that is missing
// or of another type reads as nothing.
//
// Thread rule: pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace pytoon::engines {

// A string, or a number as text (node ids are either); "" for anything else.
std::string text_of(const nlohmann::json& reply, const char* name);

}  // namespace pytoon::engines
