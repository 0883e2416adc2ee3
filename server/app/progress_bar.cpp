#include "server/app/progress_bar.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>

namespace pytoon::app {

void draw_progress(std::string_view status, int percent) {
  constexpr int kWidth = 40;
  const int full = std::clamp(percent, 0, 100) * kWidth / 100;
  std::cerr << "\r" << std::left << std::setw(20) << status << "["
            << std::string(static_cast<std::size_t>(full), '#')
            << std::string(static_cast<std::size_t>(kWidth - full), '.') << "] " << std::right
            << std::setw(3) << percent << " %" << std::flush;
}

}  // namespace pytoon::app
