// How FFmpeg reads files: through us, so that it needs no protocol and no right to open anything.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <span>

#include "base/input_file.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {
namespace {

constexpr int kBufferBytes = 32 << 10;

struct Reader {
  std::optional<InputFile> file;
  std::string_view memory;  // read where there is no file
  std::uint64_t at = 0;

  std::uint64_t size() const { return file ? file->size() : memory.size(); }
  std::int64_t read(std::span<char> into) const {
    if (file) return file->read_at(at, into);
    if (at >= memory.size()) return 0;
    return static_cast<std::int64_t>(memory.copy(into.data(), into.size(), at));
  }
};

int read_for_ffmpeg(void* reader, std::uint8_t* into, int count) {
  Reader& from = *static_cast<Reader*>(reader);
  const std::int64_t got =
      from.read({reinterpret_cast<char*>(into), static_cast<std::size_t>(count)});
  if (got == 0) return AVERROR_EOF;
  if (got > 0) from.at += static_cast<std::uint64_t>(got);
  return static_cast<int>(got);  // errno's values, negative, are FFmpeg's
}

std::int64_t seek_for_ffmpeg(void* reader, std::int64_t offset, int whence) {
  Reader& from = *static_cast<Reader*>(reader);
  const auto size = static_cast<std::int64_t>(from.size());
  if ((whence & AVSEEK_SIZE) != 0) return size;
  const int origin = whence & ~AVSEEK_FORCE;
  const std::int64_t base = origin == SEEK_SET   ? 0
                            : origin == SEEK_CUR ? static_cast<std::int64_t>(from.at)
                                                 : size;
  std::int64_t wanted = 0;
  if (__builtin_add_overflow(base, offset, &wanted) || wanted < 0) return AVERROR(EINVAL);
  from.at = static_cast<std::uint64_t>(wanted);
  return wanted;
}

// What a file refers to is not opened, whatever it is.
int open_nothing(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

struct CloseIo {
  void operator()(AVIOContext* io) const {
    const std::unique_ptr<Reader> reader(static_cast<Reader*>(io->opaque));
    av_freep(&io->buffer);  // a demuxer may have replaced the one that it began with
    avio_context_free(&io);
  }
};
using IoPtr = std::unique_ptr<AVIOContext, CloseIo>;

IoPtr io_over(std::unique_ptr<Reader> reader) {
  auto* const buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return nullptr;
  IoPtr io(avio_alloc_context(buffer, kBufferBytes, 0, reader.get(), read_for_ffmpeg, nullptr,
                              seek_for_ffmpeg));
  if (!io) {
    av_free(buffer);
    return nullptr;
  }
  static_cast<void>(reader.release());
  return io;
}

int answer_of(const AVIOContext& io, int answer) {
  const bool borrowed = answer < 0 && is_system_error(answer) && io.error >= 0;
  return borrowed ? AVERROR_INVALIDDATA : answer;
}

int errno_of(const Failure& failure) {
  return failure.kind == FailureKind::kNotFound ? ENOENT : EIO;
}

}  // namespace

void CloseInput::operator()(AVFormatContext* context) const {
  const bool ours = context->io_open == open_nothing;
  IoPtr io(ours ? context->pb : nullptr);
  avformat_close_input(&context);
}

namespace {

// name: for FFmpeg's log.
OpenedInput open_reader(std::unique_ptr<Reader> reader, const std::string& name,
                        const std::string& demuxer, Options& options) {
  IoPtr io = io_over(std::move(reader));
  AVFormatContext* context = avformat_alloc_context();
  if (!io || context == nullptr) {
    avformat_free_context(context);
    return {nullptr, AVERROR(ENOMEM)};
  }
  context->pb = io.get();
  context->io_open = open_nothing;
  // When it refuses, it frees the context but not the reader.
  const int answer = avformat_open_input(&context, name.c_str(),
                                         av_find_input_format(demuxer.c_str()), options.out());
  if (answer < 0) return {nullptr, answer_of(*io, answer)};
  static_cast<void>(io.release());
  return {InputPtr(context), answer};
}

}  // namespace

OpenedInput open_input(const std::filesystem::path& path, const std::string& demuxer,
                       Options& options) {
  Result<InputFile> file = InputFile::open(path);
  if (!file) return {nullptr, AVERROR(errno_of(file.failure()))};
  auto reader = std::make_unique<Reader>();
  reader->file = std::move(*file);
  return open_reader(std::move(reader), path.filename().string(), demuxer, options);
}

OpenedInput open_input_of(std::string_view bytes, const std::string& demuxer, Options& options) {
  auto reader = std::make_unique<Reader>();
  reader->memory = bytes;
  return open_reader(std::move(reader), "of memory", demuxer, options);
}

int read_answer(const AVFormatContext& input, int answer) { return answer_of(*input.pb, answer); }

Result<InputPtr> open_mp4(const std::filesystem::path& path) {
  Options options;
  OpenedInput opened = open_input(path, "mp4", options);
  if (opened.answer < 0) return av_failure(opened.answer, "can't open " + path.string());
  return std::move(opened.input);
}

}  // namespace pytoon::media
