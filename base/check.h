// CHECK(condition, reason): our own broken promise. Prints and aborts; never for input from
// outside.
#pragma once

namespace pytoon {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* reason);
}  // namespace pytoon

#define CHECK(condition, reason)                                        \
  do {                                                                  \
    if (!(condition)) {                                                 \
      ::pytoon::check_failed(__FILE__, __LINE__, #condition, (reason)); \
    }                                                                   \
  } while (false)
