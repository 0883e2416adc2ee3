#include "pipeline/media/decoder/child_decoder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <span>

#include "base/clock.h"
#include "pipeline/media/decoder/decoder_wire.h"
#include "pipeline/media/decoder/host_process.h"
#include "pipeline/media/image/image_file.h"

namespace pytoon::media {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCancelPause{50};
constexpr int kAttempts = 2;
constexpr std::size_t kPixelBytesMax =
    std::size_t{4} * std::size_t{kMaxImageEdgePx} * std::size_t{kMaxImageEdgePx};
constexpr FailureKind kOfMachine = FailureKind::kUnavailable;

Failure too_much() {
  return failure(FailureKind::kInvalid,
                 "the file could not be read safely: decoding it takes more memory or time than "
                 "any good one needs; export it again, with fewer or shorter tracks");
}

Failure broke() {
  return failure(FailureKind::kMalformed,
                 "the file could not be read safely: its decoder broke; export it again, or send "
                 "it in another format");
}

// Whatever a decoder makes of a stranger's bytes is their fault; a disk that can't be read is not.
Failure of_file(const Failure& failure) {
  if (failure.kind == FailureKind::kOutOfMemory) return too_much();
  const bool machine = failure.kind == FailureKind::kIo ||
                       failure.kind == FailureKind::kStorageFull || failure.kind == kOfMachine;
  return machine || traits(failure.kind).http_status < 500 ? failure : broke();
}

std::string reason_of(const DecoderEnd& end, std::uint64_t cpu_seconds) {
  if (end.signal == SIGXCPU || (end.signal != 0 && end.cpu_ms >= cpu_seconds * 1000)) return "cpu";
  if (end.signal == SIGSYS) return "forbidden";
  if (end.signal == SIGKILL) return "killed";
  return end.signal == 0 ? "exit" : "crash";
}

// All that was asked for, or nothing: what the decoder said of its size may be a lie.
bool take(int data, std::uint64_t offset, std::span<char> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(data, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

template <typename T>
std::span<char> bytes_of(std::vector<T>& values) {
  return {reinterpret_cast<char*>(values.data()), values.size() * sizeof(T)};
}

Result<FileDescriptor> shared_memory() {
  FileDescriptor memory(::memfd_create("pytoon-decoded", MFD_CLOEXEC));
  if (!memory) return errno_failure(errno, "no memory can be shared with a decoder");
  return memory;
}

}  // namespace

struct ChildDecoder::Attempt {
  std::optional<Result<DecoderAnswer>> answer;
  std::string death;  // when there is no answer
};

// One of the decoders at work at the same time.
class ChildDecoder::Place {
 public:
  explicit Place(ChildDecoder& of) : of_(of) {
    std::unique_lock lock(of_.mutex_);
    of_.place_free_.wait(lock, [this] { return of_.at_work_ < of_.options_.processes; });
    ++of_.at_work_;
  }
  ~Place() {
    {
      const std::lock_guard lock(of_.mutex_);
      --of_.at_work_;
    }
    of_.place_free_.notify_one();
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  ChildDecoder& of_;
};

ChildDecoder::ChildDecoder(Options options) : options_(std::move(options)) {}

ChildDecoder::~ChildDecoder() = default;

Result<std::shared_ptr<HostProcess>> ChildDecoder::host() {
  const std::lock_guard lock(mutex_);
  if (host_) return host_;
  auto started = HostProcess::start(options_.program, options_.waiting);
  if (started) host_ = *started;
  return started;
}

Status ChildDecoder::start() {
  const auto started = host();
  return started ? ok_status() : Status(started.failure());
}

void ChildDecoder::forget(const std::shared_ptr<HostProcess>& dead) {
  const std::lock_guard lock(mutex_);
  if (host_ == dead) host_.reset();
}

void ChildDecoder::count_death(const DecoderRequest& request, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++deaths_[{name_of(request.task), reason}];
}

std::vector<DecoderDeaths> ChildDecoder::deaths() const {
  const std::lock_guard lock(mutex_);
  std::vector<DecoderDeaths> deaths;
  for (const auto& [labels, count] : deaths_) {
    deaths.push_back({labels.first, labels.second, count});
  }
  return deaths;
}

int ChildDecoder::host_pid() const {
  const std::lock_guard lock(mutex_);
  return host_ ? host_->pid() : 0;
}

ChildDecoder::Attempt ChildDecoder::attempt(const DecoderRequest& request, int file, int data,
                                            const CancelToken& cancel) {
  const auto host = this->host();
  if (!host) return {host.failure(), ""};
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return {failure(kOfMachine, "no socket can be made: too many files are open"), ""};
  }
  const FileDescriptor answers(pair[0]);
  FileDescriptor theirs(pair[1]);
  const std::array<int, 3> handed{file, theirs.get(), data};
  const bool sent = (*host)->send(to_text(request), {handed.data(), data < 0 ? 2U : 3U});
  { const FileDescriptor closed = std::move(theirs); }
  const SystemClock clock;
  const SteadyTime deadline = clock.steady_now() + options_.limits.wall;
  while (sent) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock.steady_now());
    if (left.count() <= 0) return {std::nullopt, "time"};
    if (cancel.cancelled()) return {failure(FailureKind::kCancelled, "decoding was cancelled"), ""};
    pollfd ready{answers.get(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(std::min(left, kCancelPause).count())) <= 0) continue;
    const std::string text = receive_packet(answers.get()).text;
    if (text.empty()) break;
    DecoderPacket packet = packet_from(text);
    if (packet.answer) return {std::move(packet.answer), ""};
    if (!packet.end) return {std::nullopt, "exit"};  // it babbles
    return {std::nullopt, reason_of(*packet.end, request.cpu_seconds)};
  }
  forget(*host);
  return {std::nullopt, "host"};
}

Result<DecoderAnswer> ChildDecoder::ask(DecoderRequest request, const std::filesystem::path& file,
                                        int data, const CancelToken& cancel) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return errno_failure(errno, "can't open " + file.string());
  request.memory_bytes = options_.limits.memory_bytes;
  request.cpu_seconds = static_cast<std::uint64_t>(options_.limits.cpu.count());
  const Place place(*this);
  for (int tries = 0; tries < kAttempts; ++tries) {
    Attempt made = attempt(request, opened.get(), data, cancel);
    if (made.answer) {
      if (!*made.answer) return of_file(made.answer->failure());
      return std::move(*made.answer);
    }
    count_death(request, made.death);
    if (made.death == "cpu" || made.death == "time") return too_much();
    // Whoever killed it from outside meant another, or the system had no memory left.
    if (made.death != "killed" && made.death != "host") return broke();
    if (data >= 0 && (::ftruncate(data, 0) != 0 || ::lseek(data, 0, SEEK_SET) != 0)) break;
  }
  return failure(kOfMachine,
                 "the file could not be read safely: its decoder was killed twice from outside; "
                 "try again, and look for a machine that is short of memory");
}

Result<MediaInfo> ChildDecoder::inspect(FileKind kind, const std::filesystem::path& file) {
  DecoderRequest request;
  if (kind == FileKind::kClip) request.task = DecoderTask::kInspectClip;
  if (kind == FileKind::kAudio) request.task = DecoderTask::kInspectAudio;
  auto answer = ask(request, file, -1, {});
  if (!answer) return answer.failure();
  return std::move(answer->info);
}

Result<MediaInfo> ChildDecoder::image_header(const std::filesystem::path& file) {
  DecoderRequest request;
  request.task = DecoderTask::kHeader;
  auto answer = ask(request, file, -1, {});
  if (!answer) return answer.failure();
  return std::move(answer->info);
}

Result<gpu::RgbaImage> ChildDecoder::read_image(const std::filesystem::path& file) {
  const Result<FileDescriptor> data = shared_memory();
  if (!data) return data.failure();
  DecoderRequest request;
  request.task = DecoderTask::kPixels;
  request.data_bytes_max = kPixelBytesMax;
  const auto answer = ask(request, file, data->get(), {});
  if (!answer) return answer.failure();
  const gpu::Size size = answer->info.size;
  if (std::min(size.width, size.height) < 1 ||
      std::max(size.width, size.height) > kMaxImageEdgePx) {
    return broke();
  }
  gpu::RgbaImage image;
  image.size = size;
  image.pixels.resize(std::size_t{4} * static_cast<std::size_t>(size.width) *
                      static_cast<std::size_t>(size.height));
  if (!take(data->get(), 0, bytes_of(image.pixels))) return broke();
  return image;
}

Result<Pcm> ChildDecoder::read_audio(const std::filesystem::path& file, std::size_t samples_max,
                                     const CancelToken& cancel) {
  const Result<FileDescriptor> data = shared_memory();
  if (!data) return data.failure();
  DecoderRequest request;
  request.task = DecoderTask::kSamples;
  request.samples_max = samples_max;
  // A decoder's last frame may bring more than was asked for.
  constexpr std::uint64_t kFrameMax = 1 << 20;
  const std::uint64_t most = samples_max + kFrameMax;
  request.data_bytes_max = most * sizeof(float) * kAudioChannels;
  const auto answer = ask(request, file, data->get(), cancel);
  if (!answer) return answer.failure();
  if (answer->samples > most) return broke();
  Pcm audio;
  audio.resize(answer->samples);
  std::uint64_t at = 0;
  for (std::vector<float>& channel : audio.channels) {
    if (!take(data->get(), at, bytes_of(channel))) return broke();
    at += channel.size() * sizeof(float);
  }
  return audio;
}

}  // namespace pytoon::media
