// How patient we are with PostgreSQL and how much we ask of it.
#pragma once

#include <chrono>

namespace pytoon::io {

// The price of longer limits is how long a caller may wait for a database that is in trouble.
struct PostgresLimits {
  std::chrono::seconds connect{2};
  std::chrono::milliseconds statement{5000};
  std::chrono::milliseconds lock{2000};
  std::chrono::milliseconds idle_in_transaction{10'000};
  std::chrono::milliseconds silence{5000};  // of the network, with something unanswered
  // A whole read or transaction, by our own watch: a server that is frozen keeps none of the above.
  std::chrono::milliseconds call{6000};
};

struct PostgresOptions {
  int connections = 8;
  std::chrono::milliseconds wait{2000};  // for a connection, when all are in use
  PostgresLimits limits;
};

}  // namespace pytoon::io
