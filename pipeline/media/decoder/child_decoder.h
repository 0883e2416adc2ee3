// Decodes each file in a confined process of its own: what a stranger sends may take a decoder's
// memory, time or life, but never this process's, and a decoder that a file has taken over can do
// nothing but answer wrongly. The process is forked by a host (decoder_host.h), which this starts,
// and starts again when it died.
//
// Thread rule: any thread. Blocks until the decoder answers or is ended at its deadline, and before
// that while as many as `processes` are at work. A fork costs a few milliseconds. Clips that are
// played are not among those: who draws has few open and waits for each.
//
// Errors, besides the decoder's own: kInvalid when the file took more memory or time than any good
// file needs, kMalformed when its decoder died; kCancelled; kUnavailable when no decoder can be
// started, and when one was killed from outside twice.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/media/decoder/decoder_limits.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

struct DecoderRequest;
struct DecoderAnswer;
class DecoderProcesses;

class ChildDecoder final : public FileDecoder {
 public:
  struct Options {
    DecoderLimits limits;
    int processes = 4;  // at once
    int waiting = 2;    // made ahead of the files that they will decode
    std::string program = "/proc/self/exe";
  };
  explicit ChildDecoder(Options options);
  ~ChildDecoder() override;

  // Starts the host, so that the first file need not wait for it. Does not wait itself.
  Status start();

  Result<MediaInfo> inspect(FileKind kind, const std::filesystem::path& file) override;
  Result<MediaInfo> image_header(const std::filesystem::path& file) override;
  Result<gpu::RgbaImage> read_image(const std::filesystem::path& file) override;
  Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                         const CancelToken& cancel) override;
  Result<std::shared_ptr<const ClipIndex>> read_clip_index(
      const std::filesystem::path& file) override;
  Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& file,
                                                 UnsaidMatrix matrix) override;
  std::unique_ptr<ClipPlayer> open_clip(const ClipOrder& order) override;

  std::vector<DecoderDeaths> deaths() const override;
  // Of the host that is there now, for tests; 0 before the first file.
  int host_pid() const;

 private:
  class Place;

  Result<DecoderAnswer> ask(DecoderRequest request, const std::filesystem::path& file, int data,
                            const CancelToken& cancel);

  const Options options_;
  const std::unique_ptr<DecoderProcesses> processes_;
  std::mutex mutex_;
  std::condition_variable place_free_;
  int at_work_ = 0;
};

}  // namespace pytoon::media
