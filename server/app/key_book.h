// The API keys that this process accepts: those of API_KEYS_FILE and API_KEY, and those that the
// record keeps. It looks at the record again and again, so that a key made or revoked anywhere is
// known here within seconds, and tells the record which keys were used, at most once a minute.
//
// While the record can't be read, what was read last goes on to hold; keys expire all the same.
//
// Thread rule: any thread; blocks on the database and the file.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "server/app/config.h"
#include "server/http/http_server.h"
#include "server/http/key_ring.h"
#include "server/jobs/key_store.h"

namespace pytoon::app {

class KeyBook {
 public:
  // All must outlive it.
  KeyBook(const Config& config, jobs::KeyStore& store, const Clock& clock, Log& log)
      : config_(config), store_(store), clock_(clock), log_(log) {}

  // At the start: the file and the variable must be right. In dev a key of our own is made where
  // there is none.
  Result<http::KeyRing> open();
  // What SIGHUP asks for; with a mistake in the file the old keys stay.
  void reload(http::HttpServer& server);
  // Every few seconds.
  void look(http::HttpServer& server);

 private:
  Result<http::KeyRing> ring_of_file() const;
  http::KeyRing ring();
  void read_record();
  std::vector<std::string> live_ids() const;
  void replace(http::HttpServer& server, const char* event);
  void tell_uses(const std::map<std::string, WallTime>& uses);

  const Config& config_;
  jobs::KeyStore& store_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;                         // guards what follows
  http::KeyRing of_file_;                    // of file and variable
  std::vector<jobs::ApiKey> recorded_;       // as the record was read last
  std::vector<std::string> live_;            // ids of those that the server has
  std::map<std::string, WallTime> told_at_;  // of uses
  std::map<std::string, WallTime> untold_;
  bool away_ = false;  // the record could not be read; said once
};

}  // namespace pytoon::app
