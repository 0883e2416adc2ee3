#include "engines/remote/spend_ledger.h"

#include <array>
#include <cstdio>

namespace pytoon::engines {

std::string usd_text(std::int64_t micro_usd) {
  constexpr double kMicro = 1e6;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f USD", static_cast<double>(micro_usd) / kMicro);
  return text.data();
}

}  // namespace pytoon::engines
