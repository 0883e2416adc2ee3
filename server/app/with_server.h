// A command that asks a running server, then shows what came. Gives the exit status: errors are one
// line on standard error.
//
// Thread rule: one thread; blocks for as long as the server takes (remote.h).
#pragma once

#include <nlohmann/json.hpp>

#include "base/curl_client.h"
#include "server/app/complain.h"
#include "server/app/remote.h"

namespace pytoon::app {

// use() gives the exit status.
template <typename Use>
int with_remote(const Environment& environment, const Use& use) {
  CurlClient client;
  const Result<Remote> remote = Remote::from(environment, client);
  return remote ? use(*remote) : complain(remote.failure());
}

template <typename Ask, typename Show>
int with_server(const Environment& environment, const Ask& ask, const Show& show) {
  return with_remote(environment, [&](const Remote& remote) {
    const Result<nlohmann::ordered_json> answer = ask(remote);
    if (!answer) return complain(answer.failure());
    show(*answer);
    return 0;
  });
}

}  // namespace pytoon::app
