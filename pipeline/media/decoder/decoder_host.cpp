#include "pipeline/media/decoder/decoder_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <vector>

#include "base/check.h"
#include "pipeline/media/decoder/child_task.h"
#include "pipeline/media/decoder/decoder_wire.h"
#include "pipeline/media/image/image_library.h"

namespace pytoon::media {
namespace {

class Host {
 public:
  Host(int control, FileDecoder& decoder, int waiting)
      : control_(control),
        decoder_(decoder),
        wait_(static_cast<std::size_t>(waiting)),
        ended_(::signalfd(-1, &ends(), SFD_CLOEXEC)) {}

  void run() {
    for (;;) {
      while (waiting_.size() < wait_ && add_waiting()) continue;
      std::vector<pollfd> watched{{control_, POLLIN, 0}, {ended_.get(), POLLIN, 0}};
      for (const Child& child : at_work_) watched.push_back({child.socket.get(), 0, 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      for (std::size_t i = 0; i < at_work_.size(); ++i) {
        if ((watched[i + 2].revents & (POLLHUP | POLLERR)) != 0) ::kill(at_work_[i].pid, SIGKILL);
      }
      if (watched[1].revents != 0) bury();
      if (watched[0].revents != 0 && !begin()) return;
    }
  }

 private:
  // Of one that waits, the socket that its task goes to; of one at work, the one that tells whoever
  // waits for the answer how it ended.
  struct Child {
    pid_t pid;
    FileDescriptor socket;
  };

  static const sigset_t& ends() {
    static const sigset_t set = [] {
      sigset_t only;
      ::sigemptyset(&only);
      ::sigaddset(&only, SIGCHLD);
      ::sigprocmask(SIG_BLOCK, &only, nullptr);
      return only;
    }();
    return set;
  }

  // Who waits for a child that has answered has closed its socket: telling it fails, and is
  // nothing.
  void bury() {
    signalfd_siginfo one{};
    (void)!::read(ended_.get(), &one, sizeof(one));
    for (;;) {
      int status = 0;
      rusage used{};
      const pid_t pid = ::wait4(-1, &status, WNOHANG, &used);
      if (pid <= 0) return;
      std::erase_if(waiting_, [pid](const Child& child) { return child.pid == pid; });
      const auto child = std::ranges::find(at_work_, pid, &Child::pid);
      if (child == at_work_.end()) continue;
      const auto ms = [](const timeval& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
               static_cast<std::uint64_t>(time.tv_usec) / 1000;
      };
      const DecoderEnd end{WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                           ms(used.ru_utime) + ms(used.ru_stime)};
      send_packet(child->socket.get(), to_text(end));
      at_work_.erase(child);
    }
  }

  // False when nobody is left to serve.
  bool begin() {
    ReceivedPacket packet = receive_packet(control_);
    if (packet.text.empty()) return false;
    if (packet.descriptors.size() < 2) return true;
    std::vector<int> handed;
    for (const FileDescriptor& one : packet.descriptors) handed.push_back(one.get());
    FileDescriptor& answers = packet.descriptors[1];
    // One that waits may have died meanwhile.
    while (waiting_.empty() ? add_waiting() : true) {
      Child child = std::move(waiting_.back());
      waiting_.pop_back();
      if (!send_packet(child.socket.get(), packet.text, handed)) continue;
      at_work_.push_back({child.pid, std::move(answers)});
      return true;
    }
    send_packet(answers.get(), to_text(failure(FailureKind::kUnavailable,
                                               "no process can be started to decode the file")));
    return true;
  }

  bool add_waiting() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return false;
    FileDescriptor ours(pair[0]);
    const FileDescriptor theirs(pair[1]);
    const pid_t host = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != host) ::_exit(1);
      ::sigprocmask(SIG_UNBLOCK, &ends(), nullptr);
      wait_for_task(theirs.get(), confinement_, decoder_);
    }
    if (pid < 0) return false;
    waiting_.push_back({pid, std::move(ours)});
    return true;
  }

  const int control_;
  FileDecoder& decoder_;
  const std::size_t wait_;
  const FileDescriptor ended_;
  Confinement confinement_;
  std::vector<Child> waiting_;
  std::vector<Child> at_work_;
};

// A thread would not be there in a child, and what it held would be held for ever.
void check_alone() {
  std::error_code error;
  const std::filesystem::directory_iterator threads("/proc/self/task", error);
  if (error) return;
  const auto count = std::distance(begin(threads), end(threads));
  CHECK(count == 1, "the host of decoders has one thread");
}

}  // namespace

int serve_decoders(int control, FileDecoder& decoder, int waiting) {
  ::signal(SIGPIPE, SIG_IGN);
  if (Status started = start_image_library(); !started) return 1;
  check_alone();
  Host(control, decoder, waiting).run();
  return 0;
}

}  // namespace pytoon::media
