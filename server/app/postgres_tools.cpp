#include "server/app/postgres_tools.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/spawned.h"

namespace pytoon::app {
namespace {

std::vector<std::string> environment_with(const std::string& password) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string variable = *entry;
    if (password.empty() || !variable.starts_with("PGPASSWORD=")) variables.push_back(variable);
  }
  if (!password.empty()) variables.push_back("PGPASSWORD=" + password);
  return variables;
}

Status run(std::vector<std::string> words, const std::string& password) {
  const std::string program = words.front();
  std::vector<std::string> variables = environment_with(password);
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, program.c_str(), nullptr, nullptr,
                                     spawn_list(words).data(), spawn_list(variables).data());
  if (spawned != 0) {
    return failure(FailureKind::kUnavailable, program + " can't be run: install postgresql-client");
  }
  const int status = wait_for_end(child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok_status();
  return failure(FailureKind::kUnavailable, program + " failed: see what it said above");
}

}  // namespace

Status dump_postgres(const io::DatabaseUrl& url, const std::filesystem::path& file) {
  // Who worked then is nobody's worker where it is restored.
  return run(
      {"pg_dump", "--format=custom", "--no-owner", "--no-password", "--exclude-table-data=workers",
       "--file=" + file.string(), "--dbname=" + url.connection},
      url.password);
}

Status read_postgres_dump(const std::filesystem::path& file) {
  return run({"pg_restore", "--list", "--file=/dev/null", file.string()}, "");
}

Status load_postgres(const io::DatabaseUrl& url, const std::filesystem::path& file) {
  return run({"pg_restore", "--no-owner", "--no-password", "--single-transaction",
              "--dbname=" + url.connection, file.string()},
             url.password);
}

}  // namespace pytoon::app
