// DB_URL: which database keeps the record.
//
//   sqlite:///data/pytoon.db                     a file; four slashes begin an absolute path
//   postgresql://user:password@host:5432/name?sslmode=require
//
// User, password and name may be percent-encoded and must be where they hold one of :/?#[]@%.
// Parameters: sslmode, sslrootcert, sslcert, sslkey, application_name, host (a socket's folder),
// target_session_attrs. Nothing of the text but its form is ever told: it may hold a password.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pytoon::io {

struct DatabaseUrl {
  enum class Kind { kSqlite, kPostgres };
  Kind kind = Kind::kSqlite;
  std::filesystem::path file;  // kSqlite
  std::string connection;      // kPostgres: keywords and values as libpq reads them, no password
  std::string password;        // kPostgres; "" when there is none
  std::string shown;           // for people and logs: without password

  // The connection with its password: for libpq, never for a command line.
  std::string login() const;
};

// kInvalid, with what is wrong and how it should be.
Result<DatabaseUrl> parse_database_url(std::string_view text);

}  // namespace pytoon::io
