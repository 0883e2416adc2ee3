// PostgreSQL's own programs for copies of a whole database: pg_dump and pg_restore, custom format.
// The password goes to them in the environment, never on the command line, which others can read.
//
// Thread rule: one thread. Blocks until the program ends. Errors: kUnavailable (the program is
// missing, or said no; what it said is on standard error).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::app {

// url: postgresql://user:password@host/name
Status dump_postgres(const std::string& url, const std::filesystem::path& file);
// Replaces what is in the database, in one transaction.
Status load_postgres(const std::string& url, const std::filesystem::path& file);

// The URL as it may be shown, and the password that it held.
struct PublicUrl {
  std::string url;
  std::string password;  // percent-decoded; "" when there is none
};
PublicUrl without_password(const std::string& url);

}  // namespace pytoon::app
