#include "pipeline/media/decoder/decoder_processes.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/clock.h"
#include "pipeline/media/decoder/host_process.h"

namespace pytoon::media {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCancelPause{50};

std::string reason_of(const DecoderEnd& end, std::uint64_t cpu_seconds) {
  if (end.signal == SIGXCPU || (end.signal != 0 && end.cpu_ms >= cpu_seconds * 1000)) return "cpu";
  if (end.signal == SIGSYS) return "forbidden";
  if (end.signal == SIGKILL) return "killed";
  return end.signal == 0 ? "exit" : "crash";
}

}  // namespace

ConfinedDecoder::Heard ConfinedDecoder::died(const std::string& reason) {
  of_.count_death(request_.task, reason);
  return {std::nullopt, reason};
}

ConfinedDecoder::Heard ConfinedDecoder::hear(milliseconds wall, const CancelToken& cancel) {
  const SystemClock clock;
  const SteadyTime deadline = clock.steady_now() + wall;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock.steady_now());
    if (left.count() <= 0) return died("time");
    if (cancel.cancelled()) return {failure(FailureKind::kCancelled, "decoding was cancelled"), ""};
    pollfd ready{answers_.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(std::min(left, kCancelPause).count())) <= 0) continue;
    const std::string text = receive_packet(answers_.get()).text;
    if (text.empty()) {
      of_.forget(host_);
      return died("host");
    }
    DecoderPacket packet = packet_from(text);
    if (packet.answer) return {std::move(packet.answer), ""};
    // Or it babbles.
    return died(packet.end ? reason_of(*packet.end, request_.cpu_seconds) : "exit");
  }
}

void ConfinedDecoder::say(const std::string& text) const { send_packet(answers_.get(), text); }

Result<std::shared_ptr<HostProcess>> DecoderProcesses::host() {
  const std::lock_guard lock(mutex_);
  if (host_) return host_;
  auto started = HostProcess::start(program_, waiting_);
  if (started) host_ = *started;
  return started;
}

Status DecoderProcesses::start() {
  const auto started = host();
  return started ? ok_status() : Status(started.failure());
}

// A host that is gone closes the socket for answers: that is heard.
Result<std::unique_ptr<ConfinedDecoder>> DecoderProcesses::begin(const DecoderRequest& request,
                                                                 int file, int data) {
  const auto host = this->host();
  if (!host) return host.failure();
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return failure(FailureKind::kUnavailable, "no socket can be made: too many files are open");
  }
  FileDescriptor answers(pair[0]);
  const FileDescriptor theirs(pair[1]);
  const std::array<int, 3> handed{file, theirs.get(), data};
  (*host)->send(to_text(request), {handed.data(), data < 0 ? 2U : 3U});
  return std::make_unique<ConfinedDecoder>(*this, *host, std::move(answers), request);
}

void DecoderProcesses::forget(const std::shared_ptr<HostProcess>& dead) {
  const std::lock_guard lock(mutex_);
  if (host_ == dead) host_.reset();
}

void DecoderProcesses::count_death(DecoderTask task, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++deaths_[{name_of(task), reason}];
}

std::vector<DecoderDeaths> DecoderProcesses::deaths() const {
  const std::lock_guard lock(mutex_);
  std::vector<DecoderDeaths> deaths;
  for (const auto& [labels, count] : deaths_) {
    deaths.push_back({labels.first, labels.second, count});
  }
  return deaths;
}

int DecoderProcesses::host_pid() const {
  const std::lock_guard lock(mutex_);
  return host_ ? host_->pid() : 0;
}

}  // namespace pytoon::media
