#include "tests/support/web_socket_peer.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace pytoon::support {
namespace {

constexpr int kSliceMs = 10;
constexpr const char* kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::uint32_t rotated(std::uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

// FIPS 180-4, one block.
void take_block(std::array<std::uint32_t, 5>& state, const std::string& block) {
  std::array<std::uint32_t, 80> w{};
  for (std::size_t i = 0; i < 64; ++i) {
    w[i / 4] = w[i / 4] << 8 | static_cast<unsigned char>(block[i]);
  }
  for (std::size_t i = 16; i < 80; ++i) {
    w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t f = b ^ c ^ d;
    if (i < 20) f = (b & c) | (~b & d);
    if (i >= 40 && i < 60) f = (b & c) | (b & d) | (c & d);
    constexpr std::array<std::uint32_t, 4> kRound{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    const std::uint32_t next = rotated(a, 5) + f + e + kRound[i / 20] + w[i];
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

std::string sha1(std::string text) {
  const std::uint64_t bits = text.size() * 8;
  text += '\x80';
  while (text.size() % 64 != 56) text += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift);
  std::array<std::uint32_t, 5> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t at = 0; at < text.size(); at += 64) take_block(state, text.substr(at, 64));
  std::string digest;
  for (const std::uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8) digest += static_cast<char>(word >> shift);
  }
  return digest;
}

// Of 20 bytes: six groups of three, and two left.
std::string base64_of_digest(const std::string& digest) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < digest.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = at; i < at + 3; ++i) {
      group = group << 8 | (i < digest.size() ? static_cast<unsigned char>(digest[i]) : 0U);
    }
    for (int shift = 18; shift >= 0; shift -= 6) text += letters[group >> shift & 63];
  }
  text.back() = '=';
  return text;
}

}  // namespace

std::string upgrade_answer(const std::string& key) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         base64_of_digest(sha1(key + kMagic)) + "\r\n\r\n";
}

std::string frame_head(Opcode opcode, std::uint64_t bytes, bool more) {
  std::string head(1, static_cast<char>((more ? 0 : 0x80) | static_cast<int>(opcode)));
  int length_bytes = 8;
  if (bytes < 126) {
    return head + static_cast<char>(bytes);
  }
  if (bytes < 65536) length_bytes = 2;
  head += static_cast<char>(length_bytes == 2 ? 126 : 127);
  for (int i = length_bytes - 1; i >= 0; --i) head += static_cast<char>(bytes >> (8 * i));
  return head;
}

std::string frame(Opcode opcode, const std::string& payload, bool more) {
  return frame_head(opcode, payload.size(), more) + payload;
}

bool write_all(int fd, const std::string& bytes, const FakeHttpServer& stop) {
  std::size_t sent = 0;
  while (sent < bytes.size() && !stop.stopping()) {
    pollfd ready{fd, POLLOUT, 0};
    if (::poll(&ready, 1, kSliceMs) <= 0) continue;
    const ssize_t n =
        ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
  return sent == bytes.size();
}

void read_until_gone(int fd, const FakeHttpServer& stop) {
  std::string bytes(4096, '\0');
  while (!stop.stopping()) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kSliceMs) > 0 && ::recv(fd, bytes.data(), bytes.size(), 0) <= 0) return;
  }
}

}  // namespace pytoon::support
