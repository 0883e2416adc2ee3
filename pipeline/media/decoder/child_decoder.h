// Decodes each file in a confined process of its own: what a stranger sends may take a decoder's
// memory, time or life, but never this process's, and a decoder that a file has taken over can do
// nothing but answer wrongly. The process is forked by a host (decoder_host.h), which this starts,
// and starts again when it died.
//
// Thread rule: any thread. Blocks until the decoder answers or is ended at its deadline, and before
// that while as many as `processes` are at work. A fork costs a few milliseconds.
//
// Errors, besides the decoder's own: kInvalid when the file took more memory or time than any good
// file needs, kMalformed when its decoder died; kCancelled; kUnavailable when no decoder can be
// started, and when one was killed from outside twice.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

struct DecoderLimits {
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // a decoder's own, without libraries
  std::chrono::seconds cpu{60};
  std::chrono::milliseconds wall{90'000};
};

struct DecoderRequest;
struct DecoderAnswer;
class HostProcess;

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

  std::vector<DecoderDeaths> deaths() const override;
  // Of the host that is there now, for tests; 0 before the first file.
  int host_pid() const;

 private:
  struct Attempt;
  class Place;

  Result<DecoderAnswer> ask(DecoderRequest request, const std::filesystem::path& file, int data,
                            const CancelToken& cancel);
  Attempt attempt(const DecoderRequest& request, int file, int data, const CancelToken& cancel);
  Result<std::shared_ptr<HostProcess>> host();
  void forget(const std::shared_ptr<HostProcess>& dead);
  void count_death(const DecoderRequest& request, const std::string& reason);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable place_free_;
  int at_work_ = 0;
  std::shared_ptr<HostProcess> host_;  // null before the first file
  std::map<std::pair<std::string, std::string>, std::uint64_t> deaths_;
};

}  // namespace pytoon::media
