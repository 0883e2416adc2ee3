#include "pipeline/media/gst/ffmpeg.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "base/files.h"

namespace pytoon::media {

std::string Options::leftover() const {
  const AVDictionaryEntry* entry = av_dict_get(dictionary_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
  return entry == nullptr ? "" : entry->key;
}

FramePtr make_frame() {
  FramePtr frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

PacketPtr make_packet() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

std::string file_url(const std::filesystem::path& path) { return "file:" + path.string(); }

bool is_system_error(int error) {
  constexpr std::array kFromTheSystem{EACCES, EDQUOT, EFBIG,  EIO,     EISDIR, EMFILE, ENAMETOOLONG,
                                      ENFILE, ENOENT, ENOSPC, ENOTDIR, EPERM,  EROFS};
  return std::ranges::find(kFromTheSystem, AVUNERROR(error)) != kFromTheSystem.end();
}

Failure av_failure(int error, const std::string& what) {
  if (is_system_error(error)) return errno_failure(AVUNERROR(error), what);
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  const bool memory = error == AVERROR(ENOMEM);
  return failure(memory ? FailureKind::kOutOfMemory : FailureKind::kMedia,
                 what + ": " + text.data());
}

Status av_status(int answer, const std::string& what) {
  return answer < 0 ? Status(av_failure(answer, what)) : ok_status();
}

}  // namespace pytoon::media
