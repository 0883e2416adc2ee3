// A job's progress as one line of a terminal, drawn over itself.
//
// Thread rule: one thread.
#pragma once

#include <string_view>

namespace pytoon::app {

// On standard error.
void draw_progress(std::string_view status, int percent);

}  // namespace pytoon::app
