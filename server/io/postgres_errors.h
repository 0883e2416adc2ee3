// What an exception of libpqxx means for us. Source: PostgreSQL documentation, appendix A.
#pragma once

#include <exception>
#include <string>

#include "base/failure.h"

namespace pytoon::io {

enum class Trouble {
  kRefused,   // the statement; the connection is fine
  kTurnLost,  // undone for the sake of others: may be tried again
  kBroken,    // the connection is gone, nothing was committed
  kInDoubt,   // it went while committing: nobody knows
};

struct PostgresTrouble {
  Trouble trouble = Trouble::kRefused;
  FailureKind kind = FailureKind::kInternal;
  std::string text;
};

PostgresTrouble understand(const std::exception_ptr& error);

}  // namespace pytoon::io
