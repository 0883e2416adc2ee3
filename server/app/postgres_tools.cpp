#include "server/app/postgres_tools.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

namespace pytoon::app {
namespace {

std::string percent_decoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = 0;
    const bool escape =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, value, 16).ptr == &text[i + 1] + 2;
    decoded += escape ? static_cast<char>(value) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

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
                                     pointers(words).data(), pointers(variables).data());
  if (spawned != 0) {
    return failure(FailureKind::kUnavailable, program + " can't be run: install postgresql-client");
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return ok_status();
  return failure(FailureKind::kUnavailable, program + " failed: see what it said above");
}

}  // namespace

PublicUrl without_password(const std::string& url) {
  const std::size_t begin = url.find("://");
  const std::size_t end = url.find_first_of("/?", begin == std::string::npos ? 0 : begin + 3);
  const std::size_t at = url.substr(0, end).rfind('@');
  if (begin == std::string::npos || at == std::string::npos) return {url, ""};
  const std::size_t colon = url.find(':', begin + 3);
  if (colon == std::string::npos || colon > at) return {url, ""};
  return {url.substr(0, colon) + url.substr(at),
          percent_decoded(url.substr(colon + 1, at - colon - 1))};
}

Status dump_postgres(const std::string& url, const std::filesystem::path& file) {
  const PublicUrl place = without_password(url);
  return run({"pg_dump", "--format=custom", "--no-owner", "--no-password",
              "--file=" + file.string(), "--dbname=" + place.url},
             place.password);
}

Status load_postgres(const std::string& url, const std::filesystem::path& file) {
  const PublicUrl place = without_password(url);
  return run({"pg_restore", "--clean", "--if-exists", "--no-owner", "--no-password",
              "--single-transaction", "--dbname=" + place.url, file.string()},
             place.password);
}

}  // namespace pytoon::app
