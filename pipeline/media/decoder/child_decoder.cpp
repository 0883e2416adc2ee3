#include "pipeline/media/decoder/child_decoder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "pipeline/media/decoder/clip_index_bytes.h"
#include "pipeline/media/decoder/confined_clip.h"
#include "pipeline/media/decoder/decoder_faults.h"
#include "pipeline/media/decoder/decoder_processes.h"
#include "pipeline/media/image/image_file.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kPixelBytesMax =
    std::size_t{4} * std::size_t{kMaxImageEdgePx} * std::size_t{kMaxImageEdgePx};

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

// What an answer says is there; nothing: it lied.
std::optional<std::string> taken(int data, const DecoderAnswer& answer, std::uint64_t most) {
  if (answer.data_bytes > most) return std::nullopt;
  std::string bytes(answer.data_bytes, '\0');
  return take(data, 0, bytes) ? std::optional(std::move(bytes)) : std::nullopt;
}

template <typename T, typename Allocator>
std::span<char> bytes_of(std::vector<T, Allocator>& values) {
  return {reinterpret_cast<char*>(values.data()), values.size() * sizeof(T)};
}

Result<FileDescriptor> shared_memory() {
  FileDescriptor memory(::memfd_create("pytoon-decoded", MFD_CLOEXEC));
  if (!memory) return errno_failure(errno, "no memory can be shared with a decoder");
  return memory;
}

}  // namespace

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

ChildDecoder::ChildDecoder(Options options)
    : options_(std::move(options)),
      processes_(std::make_unique<DecoderProcesses>(options_.program, options_.waiting)) {}

ChildDecoder::~ChildDecoder() = default;

Status ChildDecoder::start() { return processes_->start(); }

std::vector<DecoderDeaths> ChildDecoder::deaths() const { return processes_->deaths(); }

int ChildDecoder::host_pid() const { return processes_->host_pid(); }

Result<DecoderAnswer> ChildDecoder::ask(DecoderRequest request, const std::filesystem::path& file,
                                        int data, const CancelToken& cancel) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return errno_failure(errno, "can't open " + file.string());
  request.memory_bytes = options_.limits.memory_bytes;
  request.cpu_seconds = static_cast<std::uint64_t>(options_.limits.cpu.count());
  const Place place(*this);
  for (int tries = 0; tries < kDecoderTries; ++tries) {
    const auto decoder = processes_->begin(request, opened.get(), data);
    if (!decoder) return decoder.failure();
    ConfinedDecoder::Heard heard = (*decoder)->hear(options_.limits.wall, cancel);
    if (heard.answer) {
      if (!*heard.answer) return fault_of_answer(heard.answer->failure());
      return std::move(*heard.answer);
    }
    if (const auto fault = fault_of_death(heard.death)) return *fault;
    if (data >= 0 && (::ftruncate(data, 0) != 0 || ::lseek(data, 0, SEEK_SET) != 0)) break;
  }
  return killed_from_outside();
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
    return broken_decoder();
  }
  gpu::RgbaImage image;
  image.size = size;
  image.pixels.resize(std::size_t{4} * static_cast<std::size_t>(size.width) *
                      static_cast<std::size_t>(size.height));
  if (!take(data->get(), 0, bytes_of(image.pixels))) return broken_decoder();
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
  if (answer->samples > most) return broken_decoder();
  Pcm audio;
  audio.resize(answer->samples);
  std::uint64_t at = 0;
  for (std::vector<float>& channel : audio.channels) {
    if (!take(data->get(), at, bytes_of(channel))) return broken_decoder();
    at += channel.size() * sizeof(float);
  }
  return audio;
}

Result<std::shared_ptr<const ClipIndex>> ChildDecoder::read_clip_index(
    const std::filesystem::path& file) {
  const Result<FileDescriptor> data = shared_memory();
  if (!data) return data.failure();
  DecoderRequest request;
  request.task = DecoderTask::kClipIndex;
  request.data_bytes_max = kClipIndexBytesMax;
  const auto answer = ask(request, file, data->get(), {});
  if (!answer) return answer.failure();
  const std::optional<std::string> bytes = taken(data->get(), *answer, kClipIndexBytesMax);
  std::optional<ClipIndex> index = bytes ? clip_index_from(*bytes) : std::nullopt;
  if (!index) return broken_decoder();
  index->path = file;
  index->format = answer->info.format;
  index->codec = answer->info.codec;
  return std::make_shared<const ClipIndex>(std::move(*index));
}

Result<std::optional<std::string>> ChildDecoder::tagged_clip(const std::filesystem::path& file,
                                                             UnsaidMatrix matrix) {
  if (matrix == UnsaidMatrix::kBySize) return std::optional<std::string>();
  const Result<FileDescriptor> data = shared_memory();
  if (!data) return data.failure();
  constexpr std::uint64_t kHeadMax = 16 << 20;
  DecoderRequest request;
  request.task = DecoderTask::kClipTag;
  request.data_bytes_max = kClipBytesMax + kHeadMax;
  const auto answer = ask(request, file, data->get(), {});
  if (!answer) return answer.failure();
  if (answer->data_bytes == 0) return std::optional<std::string>();
  std::optional<std::string> bytes = taken(data->get(), *answer, request.data_bytes_max);
  if (!bytes) return broken_decoder();
  return bytes;
}

std::unique_ptr<ClipPlayer> ChildDecoder::open_clip(const ClipOrder& order) {
  return std::make_unique<ConfinedClip>(*processes_, options_.limits, order);
}

}  // namespace pytoon::media
