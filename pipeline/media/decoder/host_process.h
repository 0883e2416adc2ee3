// A decoder host (decoder_host.h) as its server holds it: the process and the control socket to it.
// Inside the room only.
//
// Thread rule: any thread may send; made and destroyed by one. Starting does not wait until the
// host serves: requests wait in its socket.
#pragma once

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::media {

class HostProcess {
 public:
  // Runs `program decode-files WAITING`, whose descriptor 3 is the control socket. kUnavailable.
  static Result<std::shared_ptr<HostProcess>> start(const std::string& program, int waiting);
  HostProcess(pid_t pid, FileDescriptor control) : pid_(pid), control_(std::move(control)) {}
  ~HostProcess();  // ends it and its decoders
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  pid_t pid() const { return pid_; }
  // False when the host is gone.
  bool send(const std::string& request, std::span<const int> descriptors) const;

 private:
  const pid_t pid_;
  const FileDescriptor control_;
};

}  // namespace pytoon::media
