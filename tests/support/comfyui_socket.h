// The WebSocket of the ComfyUI stand-in: what /ws says to the client that sent a prompt, in the
// order of a real server, or badly. A client id seen again takes the place of the socket before.
//
// Thread rule: any thread.
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/fake_http_server.h"

namespace pytoon::support {

class ComfySocket {
 public:
  enum class Manner {
    kWell,
    kRefuses,     // 404
    kForbids,     // 403, as a proxy would
    kHangs,       // accepts and never upgrades
    kWrongKey,    // upgrades for somebody else
    kSilent,      // upgrades, never says anything
    kCloses,      // in the middle of the prompt, with a close frame
    kDrops,       // in the middle of the prompt, without a word
    kFloods,      // messages without end
    kPings,       // pings without end
    kGarbage,     // bytes that are no frames
    kHugeFrame,   // promises a TiB
    kHugeText,    // a message of 5 MB
    kBinary,      // previews of every kind, some cut short
    kNonsense,    // text that is no JSON, or JSON of another shape
    kOthers,      // the progress and the end of somebody else's prompt
    kEarlyEnd,    // says that our prompt has succeeded before it has
    kSaysFailed,  // says that our prompt has failed, which it has not
    kMax_,
  };

  Manner manner = Manner::kWell;  // to be set before the first request

  Reply answer(const Call& call, const FakeHttpServer& server);
  // The events of a prompt, to the client that sent it.
  void begun(const std::string& client, const std::string& prompt, const nlohmann::json& graph);
  void moved(const std::string& prompt);  // one node further
  void ended(const std::string& prompt, const std::string& how);

  int opened() const;
  std::vector<std::string> clients() const;  // ids, in the order in which they came

 private:
  struct Run {
    std::string client;
    std::vector<std::string> nodes;
    std::size_t at = 0;  // of nodes, the running one
  };

  void talk(int fd, const Call& call, const FakeHttpServer& server);
  void spoil(int fd, const FakeHttpServer& server);
  void send(const std::string& client, const std::string& type, nlohmann::json data);
  void send_bytes(const std::string& client, const std::string& bytes);
  void misbehave(const std::string& client, const std::string& prompt);

  mutable std::mutex mutex_;            // protects what follows
  std::map<std::string, int> sockets_;  // client id -> fd
  std::vector<std::string> clients_;
  std::map<std::string, Run> runs_;  // by prompt
};

}  // namespace pytoon::support
