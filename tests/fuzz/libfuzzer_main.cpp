// libFuzzer's door: PYTOON_FUZZ_TARGET names the target.
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "tests/fuzz/fuzz_targets.h"

namespace {

const pytoon::fuzz::Target& chosen() {
  const char* const name = std::getenv("PYTOON_FUZZ_TARGET");
  for (const pytoon::fuzz::Target& target : pytoon::fuzz::targets()) {
    if (name != nullptr && target.name == name) return target;
  }
  std::cerr << "PYTOON_FUZZ_TARGET must name a target:";
  for (const pytoon::fuzz::Target& target : pytoon::fuzz::targets()) {
    std::cerr << " " << target.name;
  }
  std::cerr << "\n";
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pytoon::fuzz::Target& target = chosen();
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
