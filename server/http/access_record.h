// A request as operators see it, in metrics and in the log: never a path, a key or a body.
#pragma once

#include <cstdint>
#include <string>

namespace pytoon::http {

struct AccessRecord {
  std::string method;  // "-" when it could not be read
  std::string route;   // the pattern; "unmatched" when there is none
  int status = 0;
  std::string plan;         // of the key; "" when none was shown that holds
  double seconds = 0;       // from the complete head to the last byte handed to the system
  std::uint64_t bytes = 0;  // of the answer, head included
  bool whole = true;        // false when the client went away before the end
};

}  // namespace pytoon::http
