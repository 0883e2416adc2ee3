// A PostgreSQL of a test's own: a fresh cluster in a temporary folder, on a free port of the loop
// back, with fsync on. Run by the user `postgres` when the test is root, since PostgreSQL refuses
// to be. Throws when it is not installed: a test that needs it then fails.
//
// It ends with this object, and with the test's process however that ends.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace pytoon::testing_support {

class PostgresServer {
 public:
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  int port() const { return port_; }
  // How libpq reaches a database of it; another port where something stands between.
  std::string connection(const std::string& database, int port = 0) const;
  std::string url(const std::string& database) const;
  // A fresh empty database; gives its name.
  std::string create_database();

  void stop_at_once();  // as a crash: nothing is written, clients are cut off
  void start();         // returns when it takes connections

 private:
  pid_t spawn(const std::vector<std::string>& command) const;
  void run(const std::vector<std::string>& command) const;

  std::filesystem::path programs_;
  std::filesystem::path folder_;
  int port_ = 0;
  pid_t pid_ = -1;
  int databases_ = 0;
};

// One for the whole test program, started when first asked for.
PostgresServer& shared_postgres();

}  // namespace pytoon::testing_support
