#include "tests/support/postgres.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/clock.h"
#include "tests/support/child_process.h"

namespace pytoon::testing_support {
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr int kLooks = 1500;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("a PostgreSQL for tests: " + what);
}

// Debian keeps the servers' programs out of PATH.
fs::path find_programs() {
  std::error_code none;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(version.path() / "bin" / "initdb")) return version.path() / "bin";
  }
  fail("it is not installed: run scripts/setup");
}

const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* const user = ::getpwnam("postgres");
  if (user == nullptr) fail("there is no user postgres to run it: run scripts/setup");
  return user;
}

}  // namespace

PostgresServer::PostgresServer() : programs_(find_programs()), port_(support::free_port()) {
  const passwd* const user = server_user();
  const bool fast = ::access("/dev/shm", W_OK) == 0;
  std::string name =
      (fs::path(fast ? "/dev/shm" : fs::temp_directory_path()) / "pytoon-postgres-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail("no temporary folder");
  folder_ = name;
  if (user != nullptr && ::chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) fail("chown");
  run({programs_ / "initdb", "-D", folder_ / "data", "-U", "pytoon", "-A", "trust", "-E", "UTF8",
       "--locale=C", "--no-sync", "--no-instructions"});
  start();
}

PostgresServer::~PostgresServer() {
  stop_at_once();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t PostgresServer::spawn(const std::vector<std::string>& command) const {
  const passwd* const user = server_user();
  const std::string log = folder_ / "log";
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
                          ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

void PostgresServer::run(const std::vector<std::string>& command) const {
  int status = 0;
  if (::waitpid(spawn(command), &status, 0) > 0 && status == 0) return;
  std::ifstream log(folder_ / "log");
  fail(command[0] + ": " + std::string(std::istreambuf_iterator<char>(log), {}));
}

void PostgresServer::start() {
  pid_ = spawn({programs_ / "postgres", "-D", folder_ / "data", "-p", std::to_string(port_), "-c",
                "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + folder_.string(),
                "-c", "max_connections=60", "-c", "shared_buffers=16MB"});
  SystemClock clock;
  for (int i = 0; i < kLooks; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) fail("it ended at once, see its log");
    // Its port is open a little before it lets anybody in.
    if (support::port_answers(port_)) {
      int status = 0;
      const pid_t asked =
          spawn({programs_ / "pg_isready", "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)});
      if (::waitpid(asked, &status, 0) > 0 && status == 0) return;
    }
    clock.sleep_for(kBetweenLooks);
  }
  fail("it does not start");
}

void PostgresServer::stop_at_once() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGQUIT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string PostgresServer::connection(const std::string& database, int port) const {
  return "host='127.0.0.1' port='" + std::to_string(port == 0 ? port_ : port) +
         "' user='pytoon' dbname='" + database + "' ";
}

std::string PostgresServer::url(const std::string& database) const {
  return "postgresql://pytoon@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresServer::create_database() {
  std::string name = "test" + std::to_string(++databases_);
  run({programs_ / "createdb", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U", "pytoon",
       name});
  return name;
}

PostgresServer& shared_postgres() {
  static PostgresServer server;
  return server;
}

}  // namespace pytoon::testing_support
