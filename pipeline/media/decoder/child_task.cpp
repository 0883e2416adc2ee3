#include "pipeline/media/decoder/child_task.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <span>
#include <string_view>

#include "pipeline/media/decoder/child_clip.h"
#include "pipeline/media/decoder/clip_index_bytes.h"
#include "pipeline/media/decoder/decoder_wire.h"

namespace pytoon::media {
namespace {

// Where descriptors lie in a decoder.
enum : int { kTasks = 3, kFile = 3, kAnswer = 4, kData = 5 };
constexpr char kFileName[] = "/dev/fd/3";

// Moved high first, so that none is overwritten by another. All else of the host's is closed.
void keep_only(std::vector<FileDescriptor>& descriptors) {
  constexpr int kAside = 64;
  for (FileDescriptor& one : descriptors) {
    one = FileDescriptor(::fcntl(one.get(), F_DUPFD_CLOEXEC, kAside));
  }
  int place = kFile;
  for (const FileDescriptor& one : descriptors) ::dup2(one.get(), place++);
  for (FileDescriptor& one : descriptors) static_cast<void>(one.release());
  ::closefrom(place);
}

// When memory runs out, the system shall take this process and not the server.
void offer_to_memory_killer() {
  const FileDescriptor score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  (void)!::write(score.get(), "1000", 4);
}

// Uploads are looked at beside requests that are under way: however many there are, who asks for a
// job is answered first. Work for a job keeps its place, since its worker waits for it.
void yield_to_requests(DecoderTask task) {
  constexpr int kNiceness = 5;  // a quarter of a core that others want whole
  const bool inspection = task == DecoderTask::kInspectImage || task == DecoderTask::kInspectClip ||
                          task == DecoderTask::kInspectAudio;
  if (inspection) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kNiceness);
}

Status write_data(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(kData, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_failure(errno, "can't hand over what was decoded");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok_status();
}

template <typename T, typename Allocator>
std::span<const char> bytes_of(const std::vector<T, Allocator>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

Result<DecoderAnswer> of_info(Result<MediaInfo> info) {
  if (!info) return info.failure();
  return DecoderAnswer{std::move(*info), 0, 0};
}

Result<DecoderAnswer> write_pixels(FileDecoder& decoder) {
  const Result<gpu::RgbaImage> image = decoder.read_image(kFileName);
  if (!image) return image.failure();
  if (Status written = write_data(bytes_of(image->pixels)); !written) return written.failure();
  DecoderAnswer answer;
  answer.info.size = image->size;
  return answer;
}

Result<DecoderAnswer> write_samples(FileDecoder& decoder, std::uint64_t samples_max) {
  const Result<Pcm> audio = decoder.read_audio(kFileName, samples_max, {});
  if (!audio) return audio.failure();
  for (const std::vector<float>& channel : audio->channels) {
    if (Status written = write_data(bytes_of(channel)); !written) return written.failure();
  }
  DecoderAnswer answer;
  answer.samples = audio->size();
  return answer;
}

Result<DecoderAnswer> write_index(FileDecoder& decoder) {
  const Result<std::shared_ptr<const ClipIndex>> index = decoder.read_clip_index(kFileName);
  if (!index) return index.failure();
  const std::string bytes = to_bytes(**index);
  if (Status written = write_data(bytes); !written) return written.failure();
  DecoderAnswer answer;
  answer.info.format = (*index)->format;
  answer.info.codec = (*index)->codec;
  answer.data_bytes = bytes.size();
  return answer;
}

// Asked only for clips that mean BT.601 where they say nothing.
Result<DecoderAnswer> write_tagged(FileDecoder& decoder) {
  const auto bytes = decoder.tagged_clip(kFileName, UnsaidMatrix::kBt601);
  if (!bytes) return bytes.failure();
  DecoderAnswer answer;
  if (!*bytes) return answer;
  if (Status written = write_data(**bytes); !written) return written.failure();
  answer.data_bytes = (*bytes)->size();
  return answer;
}

Result<DecoderAnswer> decode(const DecoderRequest& request, FileDecoder& decoder) {
  switch (request.task) {
    case DecoderTask::kInspectImage:
      return of_info(decoder.inspect(FileKind::kImage, kFileName));
    case DecoderTask::kInspectClip:
      return of_info(decoder.inspect(FileKind::kClip, kFileName));
    case DecoderTask::kInspectAudio:
      return of_info(decoder.inspect(FileKind::kAudio, kFileName));
    case DecoderTask::kHeader:
      return of_info(decoder.image_header(kFileName));
    case DecoderTask::kPixels:
      return write_pixels(decoder);
    case DecoderTask::kSamples:
      return write_samples(decoder, request.samples_max);
    case DecoderTask::kClipIndex:
      return write_index(decoder);
    case DecoderTask::kClipTag:
      return write_tagged(decoder);
    case DecoderTask::kClip:
      play_clip(request, kFileName, kAnswer, kData, decoder);
      ::_exit(0);  // all is said
  }
  return failure(FailureKind::kInternal, "a task that no decoder knows");
}

Result<DecoderAnswer> decode_confined(const DecoderRequest& request, Confinement& confinement,
                                      FileDecoder& decoder) {
  ProcessLimits limits;
  limits.memory_bytes = request.memory_bytes;
  limits.written_bytes = request.data_bytes_max;
  limits.cpu = std::chrono::seconds(request.cpu_seconds);
  if (Status confined = confinement.confine(limits); !confined) return confined.failure();
  try {
    return decode(request, decoder);
  } catch (const std::bad_alloc&) {
    return failure(FailureKind::kOutOfMemory, "no memory to decode the file");
  }
}

}  // namespace

void wait_for_task(int tasks, Confinement& confinement, FileDecoder& decoder) {
  ::dup2(tasks, kTasks);
  ::closefrom(kTasks + 1);
  offer_to_memory_killer();
  ReceivedPacket packet = receive_packet(kTasks);
  const auto request = request_from(packet.text);
  if (!request || packet.descriptors.size() < 2) ::_exit(1);
  keep_only(packet.descriptors);
  yield_to_requests(request->task);
  const Result<DecoderAnswer> answer = decode_confined(*request, confinement, decoder);
  const std::string text = answer ? to_text(*answer) : to_text(answer.failure());
  (void)!::write(kAnswer, text.data(), text.size());
  ::_exit(0);  // what the host would do at its end is not the child's to do
}

}  // namespace pytoon::media
