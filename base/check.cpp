#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace pytoon {

void check_failed(const char* file, int line, const char* condition, const char* reason) {
  std::fprintf(stderr, "CHECK failed at %s:%d: %s (%s)\n", file, line, condition, reason);
  std::abort();
}

}  // namespace pytoon
