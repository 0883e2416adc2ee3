// A socket on which nothing ever arrives. While a connection's descriptor is pointed at it, the
// reactor finds nothing to read there (EAGAIN), in the middle of a turn too, and the client's bytes
// stay in the kernel, where TCP slows the client down.
//
// Thread rule: immutable.
#pragma once

#include <sys/socket.h>

#include <array>

#include "base/check.h"
#include "base/files.h"

namespace pytoon::http {

class SilentSocket {
 public:
  SilentSocket() {
    std::array<int, 2> pair{-1, -1};
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    CHECK(::socketpair(AF_UNIX, type, 0, pair.data()) == 0, "no descriptors for the silent socket");
    end_ = FileDescriptor(pair[0]);
    other_end_ = FileDescriptor(pair[1]);
  }
  int get() const { return end_.get(); }

 private:
  FileDescriptor end_;
  FileDescriptor other_end_;  // open, or the first one would be at its end
};

}  // namespace pytoon::http
