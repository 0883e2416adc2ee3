// What a process says to its decoder host, what decoders and the host say back: JSON in packets of
// Unix sockets, descriptors beside it, pixels and samples in shared memory. Inside the room only.
//
// A request goes to the host's control socket with the file, the socket for answers and, when data
// is asked for, memory for them. On the socket for answers the decoder says one packet, of a clip
// that is played one for each step it is told there; the host adds how the decoder ended. Whoever
// asked closes it to have the decoder ended.
//
// Answers come from a process that a hostile file may have taken over: what is read of them is
// checked, bounded, and blamed on the file.
//
// Thread rule: any thread; sending and receiving block as the sockets do.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

inline constexpr std::size_t kPacketBytesMax = 64 << 10;

enum class DecoderTask {
  kInspectImage,
  kInspectClip,
  kInspectAudio,
  kHeader,
  kPixels,
  kSamples,
  kClipIndex,
  kClipTag,
  kClip,
};
// "inspect-image" and so on: labels of metrics too.
const char* name_of(DecoderTask task);

struct DecoderRequest {
  DecoderTask task = DecoderTask::kInspectImage;
  std::uint64_t samples_max = 0;  // kSamples
  std::uint64_t memory_bytes = 0;
  std::uint64_t data_bytes_max = 0;  // in shared memory
  std::uint64_t cpu_seconds = 0;
  // kClip: how the memory is divided (clip_memory.h), and how large the clip is shown.
  std::uint64_t index_bytes = 0;
  std::uint64_t slot_bytes = 0;
  gpu::Size shown;
};
std::string to_text(const DecoderRequest& request);
std::optional<DecoderRequest> request_from(const std::string& text);

// Of a clip that is played: which frame goes where.
struct ClipStep {
  std::uint64_t frame = 0;
  std::uint32_t slot = 0;
  bool cutout = false;
};
std::string to_text(const ClipStep& step);
std::optional<ClipStep> step_from(const std::string& text);

// How a decoder that gave no answer ended.
struct DecoderEnd {
  int signal = 0;  // 0: it exited
  std::uint64_t cpu_ms = 0;
};

struct DecoderAnswer {
  MediaInfo info;                // of inspections; of kPixels and a clip's frames, their size
  std::uint64_t samples = 0;     // kSamples, of a channel
  std::uint64_t data_bytes = 0;  // kClipIndex, kClipTag
};
std::string to_text(const Failure& failure);
std::string to_text(const DecoderAnswer& answer);
std::string to_text(const DecoderEnd& end);

// One of the three that a packet may hold.
struct DecoderPacket {
  std::optional<Result<DecoderAnswer>> answer;
  std::optional<DecoderEnd> end;
};
// Nothing in it: it can't be read.
DecoderPacket packet_from(const std::string& text);

// False when the other side is gone.
bool send_packet(int socket, const std::string& text, std::span<const int> descriptors = {});
struct ReceivedPacket {
  std::string text;  // "": the other side is gone
  std::vector<FileDescriptor> descriptors;
};
ReceivedPacket receive_packet(int socket);

}  // namespace pytoon::media
