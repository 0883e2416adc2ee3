#include "tests/support/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/support/loopback.h"

namespace pytoon::support {
namespace {

constexpr int kCantStart = 127;

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& log) {
  std::vector<char*> words;
  std::vector<std::string> copies = command;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  const std::string log_name = log.string();
  const std::string path = "PATH=" + std::string(std::getenv("PATH")) + ":/usr/sbin:/sbin";
  pid_ = ::fork();
  if (pid_ != 0) return;
  // Only calls that are safe between fork and exec.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log_name.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::putenv(const_cast<char*>(path.c_str()));
  ::execvp(words[0], words.data());
  ::_exit(kCantStart);
}

ChildProcess::~ChildProcess() { kill(); }

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

bool ChildProcess::running() {
  if (pid_ <= 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void ChildProcess::kill() {
  signal(SIGKILL);
  wait();
}

int ChildProcess::wait() {
  if (pid_ > 0) ::waitpid(pid_, &status_, 0);
  pid_ = -1;
  return exit_status(status_);
}

int run_program(const std::vector<std::string>& command, const std::filesystem::path& log) {
  return ChildProcess(command, log).wait();
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, &address, size);
  ::getsockname(fd, &address, &size);
  ::close(fd);
  sockaddr_in inet{};
  std::memcpy(&inet, &address, sizeof inet);
  return ntohs(inet.sin_port);
}

bool port_answers(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr address = loopback(port);
  const bool answers = ::connect(fd, &address, sizeof address) == 0;
  ::close(fd);
  return answers;
}

}  // namespace pytoon::support
