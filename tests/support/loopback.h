// The address of a port of this machine, as the socket calls want it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>

namespace pytoon::support {

inline sockaddr loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  sockaddr plain{};
  std::memcpy(&plain, &address, sizeof plain);
  return plain;
}

}  // namespace pytoon::support
