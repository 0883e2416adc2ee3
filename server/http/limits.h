// The time limits that keep slow and dead clients from holding anything.
#pragma once

#include <chrono>

namespace pytoon::http {

struct TimeLimits {
  std::chrono::milliseconds head{10'000};  // from the connect or the first byte to the blank line
  std::chrono::milliseconds idle{60'000};  // between transactions
  // Instead of both, in a crowd, for a connection that never showed a key.
  std::chrono::milliseconds crowded{1'000};
  std::chrono::milliseconds body_grace{10'000};  // a body may fall this far behind 1 KiB/s
  std::chrono::milliseconds linger{5'000};       // for the client to read a refusal
  std::chrono::milliseconds stall{15'000};       // no byte of an answer taken
};

}  // namespace pytoon::http
