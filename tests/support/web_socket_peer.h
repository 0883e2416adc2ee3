// The server's half of a WebSocket (RFC 6455), byte by byte, so that tests can also break it. No
// library: what the client's library takes for right is judged by other eyes.
//
// Thread rule: pure functions; the writers may be called from any thread, one at a time for each
// fd.
#pragma once

#include <atomic>
#include <string>

#include "tests/support/fake_http_server.h"

namespace pytoon::support {

enum class Opcode { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// The 101 that a client with this Sec-WebSocket-Key waits for.
std::string upgrade_answer(const std::string& key);
// One frame as servers send them, unmasked; the last of its message unless `more`.
std::string frame(Opcode opcode, const std::string& payload, bool more = false);
// The head of a frame that promises `bytes` of payload.
std::string frame_head(Opcode opcode, std::uint64_t bytes, bool more = false);

// Writes all, or until the other side leaves or `stop`; never blocks for longer than it takes to
// notice. False when not all was written.
bool write_all(int fd, const std::string& bytes, const FakeHttpServer& stop);
// Reads and forgets until the other side leaves or `stop`.
void read_until_gone(int fd, const FakeHttpServer& stop);

}  // namespace pytoon::support
