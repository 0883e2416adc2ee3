// Confined decoders as whoever asks them holds them: begun by a host process (decoder_host.h),
// which this starts, and starts again when it died. Inside the room only.
//
// Thread rule: DecoderProcesses: any thread; a ConfinedDecoder: one at a time, and it must not
// outlive what began it. Beginning one costs a few milliseconds and waits for nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/files.h"
#include "base/result.h"
#include "pipeline/media/decoder/decoder_wire.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

class HostProcess;
class DecoderProcesses;

// One decoder at work. Letting it go ends it.
class ConfinedDecoder {
 public:
  ConfinedDecoder(DecoderProcesses& of, std::shared_ptr<HostProcess> host, FileDescriptor answers,
                  const DecoderRequest& request)
      : of_(of), host_(std::move(host)), answers_(std::move(answers)), request_(request) {}

  // An answer, or of what the decoder died, which is counted.
  struct Heard {
    std::optional<Result<DecoderAnswer>> answer;
    std::string death;  // when there is no answer
  };
  // Waits for `wall` at most: a decoder that says nothing for longer died of time. kCancelled.
  Heard hear(std::chrono::milliseconds wall, const CancelToken& cancel);
  // For decoders that are asked more than once. What can't be sent is heard as a death.
  void say(const std::string& text) const;

 private:
  Heard died(const std::string& reason);

  DecoderProcesses& of_;
  const std::shared_ptr<HostProcess> host_;
  const FileDescriptor answers_;
  const DecoderRequest request_;
};

class DecoderProcesses {
 public:
  DecoderProcesses(std::string program, int waiting)
      : program_(std::move(program)), waiting_(waiting) {}

  // Starts the host, so that the first file need not wait for it. Does not wait itself.
  Status start();
  // data: memory to share, or -1. kUnavailable.
  Result<std::unique_ptr<ConfinedDecoder>> begin(const DecoderRequest& request, int file, int data);
  std::vector<DecoderDeaths> deaths() const;
  // 0: there is none.
  int host_pid() const;

 private:
  friend class ConfinedDecoder;

  Result<std::shared_ptr<HostProcess>> host();
  void forget(const std::shared_ptr<HostProcess>& dead);
  void count_death(DecoderTask task, const std::string& reason);

  const std::string program_;
  const int waiting_;
  mutable std::mutex mutex_;
  std::shared_ptr<HostProcess> host_;  // null before the first file
  std::map<std::pair<std::string, std::string>, std::uint64_t> deaths_;
};

}  // namespace pytoon::media
