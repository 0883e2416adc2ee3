#include "pipeline/media/decoder/host_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "base/spawned.h"
#include "pipeline/media/decoder/decoder_host.h"
#include "pipeline/media/decoder/decoder_wire.h"

namespace pytoon::media {
namespace {

// What decodes a stranger's bytes needs to know no key of ours. Functions of libraries are looked
// up once and not in each child.
std::vector<std::string> harmless_environment() {
  std::vector<std::string> variables{"LC_ALL=C.UTF-8", "LD_BIND_NOW=1"};
  const char* const libraries = std::getenv("LD_LIBRARY_PATH");
  if (libraries != nullptr) variables.push_back(std::string("LD_LIBRARY_PATH=") + libraries);
  return variables;
}

// Its standard error goes nowhere: decoders say a line for each broken byte. A session of its own
// keeps a terminal's Ctrl-C from it: it ends when its server has ended.
int spawn(const std::string& program, int waiting, int control, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, control, kDecoderControl);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words{"pytoon", "decode-files", std::to_string(waiting)};
  std::vector<std::string> variables = harmless_environment();
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                  spawn_list(words).data(), spawn_list(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Result<std::shared_ptr<HostProcess>> HostProcess::start(const std::string& program, int waiting) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return failure(FailureKind::kUnavailable,
                   "no socket can be made: too many files are open; raise the limit (nofile)");
  }
  FileDescriptor ours(pair[0]);
  // In the new process it becomes descriptor 3, which is not closed; but what is 3 already would
  // keep the mark that it is closed there.
  const FileDescriptor theirs(::fcntl(pair[1], F_DUPFD_CLOEXEC, kDecoderControl + 1));
  ::close(pair[1]);
  pid_t pid = 0;
  if (!theirs || spawn(program, waiting, theirs.get(), pid) != 0) {
    return failure(FailureKind::kUnavailable, "no process can be started to decode files");
  }
  return std::make_shared<HostProcess>(pid, std::move(ours));
}

HostProcess::~HostProcess() {
  ::kill(pid_, SIGKILL);
  wait_for_end(pid_);
}

bool HostProcess::send(const std::string& request, std::span<const int> descriptors) const {
  return send_packet(control_.get(), request, descriptors);
}

}  // namespace pytoon::media
