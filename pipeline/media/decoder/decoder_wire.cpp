#include "pipeline/media/decoder/decoder_wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace pytoon::media {
namespace {

using nlohmann::json;

constexpr std::array kTaskNames{"inspect-image", "inspect-clip", "inspect-audio",
                                "image-header",  "image",        "audio",
                                "clip-index",    "clip-tag",     "clip"};
constexpr std::size_t kDescriptorsMax = 3;
constexpr std::size_t kWordsMax = 1'000;
constexpr int kEdgeMax = 1 << 16;
constexpr double kSecondsMax = 1e6;

std::string text_of(const json& value) { return json_text(value); }

// What a file's decoder may say of it. A failure of the machine, such as a lost GPU, is nothing
// that it can know.
FailureKind believed(const std::string& label) {
  constexpr std::array kKinds{FailureKind::kMalformed,   FailureKind::kTooLarge,
                              FailureKind::kInvalid,     FailureKind::kUnsupportedType,
                              FailureKind::kUnavailable, FailureKind::kOutOfMemory,
                              FailureKind::kIo};
  const auto known =
      std::ranges::find_if(kKinds, [&](FailureKind kind) { return traits(kind).label == label; });
  return known == kKinds.end() ? FailureKind::kMalformed : *known;
}

std::string words(const json& value) { return value.get<std::string>().substr(0, kWordsMax); }

int within(const json& value, int most) { return std::clamp(value.get<int>(), 0, most); }

DecoderAnswer answer_from(const json& said) {
  DecoderAnswer answer;
  MediaInfo& info = answer.info;
  info.format = words(said.at("format"));
  info.codec = words(said.at("codec"));
  info.size = {within(said.at("width"), kEdgeMax), within(said.at("height"), kEdgeMax)};
  info.has_alpha = said.at("has_alpha").get<bool>();
  const auto seconds = said.at("seconds").get<double>();
  info.duration_seconds = std::isfinite(seconds) ? std::clamp(seconds, 0.0, kSecondsMax) : 0;
  info.channels = within(said.at("channels"), kEdgeMax);
  info.sample_rate = within(said.at("sample_rate"), 1 << 24);
  answer.samples = said.at("samples").get<std::uint64_t>();
  answer.data_bytes = said.at("data_bytes").get<std::uint64_t>();
  return answer;
}

}  // namespace

const char* name_of(DecoderTask task) { return kTaskNames.at(static_cast<std::size_t>(task)); }

std::string to_text(const DecoderRequest& request) {
  return text_of({{"task", name_of(request.task)},
                  {"samples_max", request.samples_max},
                  {"memory_bytes", request.memory_bytes},
                  {"data_bytes_max", request.data_bytes_max},
                  {"cpu_seconds", request.cpu_seconds},
                  {"index_bytes", request.index_bytes},
                  {"slot_bytes", request.slot_bytes},
                  {"width", request.shown.width},
                  {"height", request.shown.height}});
}

std::optional<DecoderRequest> request_from(const std::string& text) {
  const json said = parse_json<json>(text);
  if (!said.is_object()) return std::nullopt;
  const auto name = said.at("task").get<std::string>();
  const auto* const known = std::ranges::find(kTaskNames, name);
  if (known == kTaskNames.end()) return std::nullopt;
  DecoderRequest request;
  request.task = static_cast<DecoderTask>(known - kTaskNames.begin());
  request.samples_max = said.at("samples_max").get<std::uint64_t>();
  request.memory_bytes = said.at("memory_bytes").get<std::uint64_t>();
  request.data_bytes_max = said.at("data_bytes_max").get<std::uint64_t>();
  request.cpu_seconds = said.at("cpu_seconds").get<std::uint64_t>();
  request.index_bytes = said.at("index_bytes").get<std::uint64_t>();
  request.slot_bytes = said.at("slot_bytes").get<std::uint64_t>();
  request.shown = {said.at("width").get<int>(), said.at("height").get<int>()};
  return request;
}

std::string to_text(const ClipStep& step) {
  return text_of({{"frame", step.frame}, {"slot", step.slot}, {"cutout", step.cutout}});
}

std::optional<ClipStep> step_from(const std::string& text) {
  const json said = parse_json<json>(text);
  if (!said.is_object()) return std::nullopt;
  return ClipStep{said.at("frame").get<std::uint64_t>(), said.at("slot").get<std::uint32_t>(),
                  said.at("cutout").get<bool>()};
}

std::string to_text(const Failure& failure) {
  return text_of(
      {{"failure", traits(failure.kind).label}, {"detail", failure.detail.substr(0, kWordsMax)}});
}

std::string to_text(const DecoderAnswer& answer) {
  const MediaInfo& info = answer.info;
  return text_of({{"format", info.format},
                  {"codec", info.codec},
                  {"width", info.size.width},
                  {"height", info.size.height},
                  {"has_alpha", info.has_alpha},
                  {"seconds", info.duration_seconds},
                  {"channels", info.channels},
                  {"sample_rate", info.sample_rate},
                  {"samples", answer.samples},
                  {"data_bytes", answer.data_bytes}});
}

std::string to_text(const DecoderEnd& end) {
  return text_of({{"end", end.signal}, {"cpu_ms", end.cpu_ms}});
}

DecoderPacket packet_from(const std::string& text) {
  const json said = parse_json<json>(text);
  if (!said.is_object()) return {};
  try {
    if (said.contains("end")) {
      const DecoderEnd end{said.at("end").get<int>(), said.at("cpu_ms").get<std::uint64_t>()};
      return {std::nullopt, end};
    }
    if (said.contains("failure")) {
      const FailureKind kind = believed(said.at("failure").get<std::string>());
      return {Result<DecoderAnswer>(failure(kind, words(said.at("detail")))), std::nullopt};
    }
    return {Result<DecoderAnswer>(answer_from(said)), std::nullopt};
  } catch (const json::exception&) {
    return {};
  }
}

bool send_packet(int socket, const std::string& text, std::span<const int> descriptors) {
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> beside{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = beside.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

ReceivedPacket receive_packet(int socket) {
  std::string text(kPacketBytesMax, '\0');
  iovec bytes{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> beside{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = beside.data();
  message.msg_controllen = beside.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  ReceivedPacket packet;
  if (got <= 0) return packet;
  text.resize(static_cast<std::size_t>(got));
  packet.text = std::move(text);
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
      packet.descriptors.emplace_back(descriptor);
    }
  }
  return packet;
}

}  // namespace pytoon::media
