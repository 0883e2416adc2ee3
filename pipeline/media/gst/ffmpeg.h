// FFmpeg's C headers in one place, owners for its handles, and its error numbers as Failures.
//
// The make_ functions throw std::bad_alloc; everything else here reports by value.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pytoon::media {

struct AvDelete {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* context) const { sws_freeContext(context); }
  void operator()(AVBufferRef* reference) const { av_buffer_unref(&reference); }
};
using CodecPtr = std::unique_ptr<AVCodecContext, AvDelete>;
using FramePtr = std::unique_ptr<AVFrame, AvDelete>;
using PacketPtr = std::unique_ptr<AVPacket, AvDelete>;
using ScalerPtr = std::unique_ptr<SwsContext, AvDelete>;
using BufferRefPtr = std::unique_ptr<AVBufferRef, AvDelete>;

// Frees what open_input() reads by, too.
struct CloseInput {
  void operator()(AVFormatContext* context) const;
};
using InputPtr = std::unique_ptr<AVFormatContext, CloseInput>;

// Closes the file too; a caller that must know whether closing succeeded closes it first.
struct CloseOutput {
  void operator()(AVFormatContext* context) const {
    avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using OutputPtr = std::unique_ptr<AVFormatContext, CloseOutput>;

// Options on their way into FFmpeg, which removes the ones it understood.
class Options {
 public:
  Options() = default;
  ~Options() { av_dict_free(&dictionary_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void set(const std::string& key, const std::string& value) {
    av_dict_set(&dictionary_, key.c_str(), value.c_str(), 0);
  }
  AVDictionary** out() { return &dictionary_; }
  // The first option nobody took, or "".
  std::string leftover() const;

 private:
  AVDictionary* dictionary_ = nullptr;
};

FramePtr make_frame();
PacketPtr make_packet();

// A file of whoever it is, opened by one demuxer: no other container, no network, and no other file
// whatever it refers to. FFmpeg reads it by us and opens nothing itself. `answer` is FFmpeg's, for
// callers that have their own words for it: what is refused has one below 0.
struct OpenedInput {
  InputPtr input;
  int answer = 0;
};
OpenedInput open_input(const std::filesystem::path& path, const std::string& demuxer,
                       Options& options);
// The same of a file in memory, which outlives it.
OpenedInput open_input_of(std::string_view bytes, const std::string& demuxer, Options& options);
// The answer of a call that reads `input`. FFmpeg's demuxers borrow the operating system's numbers,
// EIO above all, for files that make no sense: unless reading did fail, such an answer becomes
// AVERROR_INVALIDDATA. open_input() answers so itself.
int read_answer(const AVFormatContext& input, int answer);
// An MP4 on disk, likewise.
Result<InputPtr> open_mp4(const std::filesystem::path& path);
// For av_ functions that take a URL: keeps a name such as "http:x" a file name.
std::string file_url(const std::filesystem::path& path);

// Whether it is one of the operating system's, of files and what they lie on.
bool is_system_error(int error);
// What FFmpeg's negative error number means: the operating system's words when it was the cause
// (kNotFound, kStorageFull, kIo), kOutOfMemory, else kMedia.
Failure av_failure(int error, const std::string& what);
// The same of a call's answer, which is not negative when it went well.
Status av_status(int answer, const std::string& what);

}  // namespace pytoon::media
