#include "pipeline/media/decoder/decoder_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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
  Host(int control, FileDecoder& decoder)
      : control_(control), decoder_(decoder), ended_(::signalfd(-1, &ends(), SFD_CLOEXEC)) {}

  void run() {
    for (;;) {
      std::vector<pollfd> watched{{control_, POLLIN, 0}, {ended_.get(), POLLIN, 0}};
      for (const Child& child : children_) watched.push_back({child.answers.get(), 0, 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      for (std::size_t i = 0; i < children_.size(); ++i) {
        if ((watched[i + 2].revents & (POLLHUP | POLLERR)) != 0) ::kill(children_[i].pid, SIGKILL);
      }
      if (watched[1].revents != 0) bury();
      if (watched[0].revents != 0 && !begin()) return;
    }
  }

 private:
  struct Child {
    pid_t pid;
    FileDescriptor answers;
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

  // Who waits for a child that has answered has closed its socket: telling it fails, and is nothing.
  void bury() {
    signalfd_siginfo one{};
    (void)!::read(ended_.get(), &one, sizeof(one));
    for (;;) {
      int status = 0;
      rusage used{};
      const pid_t pid = ::wait4(-1, &status, WNOHANG, &used);
      if (pid <= 0) return;
      const auto child = std::ranges::find(children_, pid, &Child::pid);
      if (child == children_.end()) continue;
      const auto ms = [](const timeval& time) {
        return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
               static_cast<std::uint64_t>(time.tv_usec) / 1000;
      };
      const DecoderEnd end{WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                           ms(used.ru_utime) + ms(used.ru_stime)};
      send_packet(child->answers.get(), to_text(end));
      children_.erase(child);
    }
  }

  // False when nobody is left to serve.
  bool begin() {
    ReceivedPacket packet = receive_packet(control_);
    if (packet.text.empty()) return false;
    const auto request = request_from(packet.text);
    if (!request || packet.descriptors.size() < 2) return true;
    const pid_t host = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != host) ::_exit(1);
      ::sigprocmask(SIG_UNBLOCK, &ends(), nullptr);
      do_task(*request, std::move(packet.descriptors), decoder_);
    }
    FileDescriptor answers = std::move(packet.descriptors[1]);
    if (pid < 0) {
      send_packet(answers.get(), to_text(failure(FailureKind::kUnavailable,
                                                 "no process can be started to decode the file")));
    } else {
      children_.push_back({pid, std::move(answers)});
    }
    return true;
  }

  const int control_;
  FileDecoder& decoder_;
  const FileDescriptor ended_;
  std::vector<Child> children_;
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

int serve_decoders(int control, FileDecoder& decoder) {
  ::signal(SIGPIPE, SIG_IGN);
  if (Status started = start_image_library(); !started) return 1;
  check_alone();
  Host(control, decoder).run();
  return 0;
}

}  // namespace pytoon::media
