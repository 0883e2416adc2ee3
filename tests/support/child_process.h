// A real program that a test starts, on a free port of this machine, and ends by its process id:
// at the latest when the object or the test itself ends.
//
// Thread rule: one thread. The thread that starts a child must outlive it (Linux ties the child's
// end to it).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace pytoon::support {

class ChildProcess {
 public:
  ChildProcess() = default;
  // What it prints goes to `log`, appended. The program is found in PATH and /usr/sbin.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  bool running();
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // SIGKILL, and waits until it is gone.
  void kill();
  // Waits for its end; the exit status, or 128 + the signal that ended it.
  int wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

// Runs a program to its end; its exit status.
int run_program(const std::vector<std::string>& command, const std::filesystem::path& log);
// Nobody listens there now; another program may take it before you do.
int free_port();
// Whether something accepts connections there.
bool port_answers(int port);

}  // namespace pytoon::support
