// One job's whole life, lived by hand in one thread: a client, a worker with a FakeRenderer and
// real file storage, a sender of webhooks, on whichever database. The process ends at the n-th
// boundary of a commit if told so; another process then lives the rest. Each life makes another
// kind of commit happen.
//
// Thread rule: one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "server/worker/worker.h"
#include "tests/server/jobs/fake_renderer.h"
#include "tests/server/worker/quiet_parts.h"

namespace pytoon::chaos {

// What is special about a life.
enum class Life {
  kPlain,      // audio, three segments, a webhook
  kHiccup,     // a segment fails twice and becomes a card
  kHopeless,   // even the card fails: FAILED
  kCancelled,  // half way
  kByHand,     // failed by an operator, then retried
  kOrphan,     // its first worker was never heard of again: its lease ran out
  kDegraded,   // begun with an encoder that no worker has any more
  kEngine,     // its footage comes from an engine
};
const std::vector<std::pair<Life, std::string>>& all_lives();

// Opens the record of the same database again and again.
using OpenStore = std::function<std::unique_ptr<io::SqlStore>(io::StoreOptions)>;

struct Outcome {
  jobs::JobStatus status = jobs::JobStatus::kQueued;
  int jobs = 0;       // in the database
  int renders = 0;    // by all processes
  int events = 0;     // different webhook ids that a receiver saw
  bool whole = true;  // every finished segment's object is there with its bytes
  bool fallback = false;
  std::map<std::string, std::string> files;  // of the job, but for metadata.json: path -> bytes
};

class CrashLife {
 public:
  // Everything is below `folder`; `at_boundary` is called at each one with its name.
  CrashLife(Life life, std::filesystem::path folder, const OpenStore& open, Clock& clock,
            std::function<void(std::string_view)> at_boundary);
  ~CrashLife();

  // From wherever the job stands to its end; a second time does nothing.
  void live();
  // What the one who takes over does first: the dead process' leases are nobody's.
  void take_over();
  Outcome outcome();

 private:
  class Renderer;

  void want_job();
  void work(const std::function<bool()>& enough);
  void change_mind();
  void lose_first_worker();
  void lose_encoder();
  void send_webhooks();
  void run_maintenance();
  void carry_out_deletions();
  void collect_garbage();
  jobs::Job job();
  int done_segments();
  void note(const std::string& file, const std::string& line) const;
  int lines(const std::string& file, bool different) const;

  const Life life_;
  const std::filesystem::path folder_;
  Clock& clock_;
  const std::string holder_ = RandomIds().next();
  std::unique_ptr<io::SqlStore> store_;
  std::unique_ptr<io::FileStorage> storage_;
  testing_support::QuietParts quiet_;
  engines::EngineChain engine_chain_;
  std::unique_ptr<Renderer> renderer_;
  std::unique_ptr<worker::Worker> worker_;
};

}  // namespace pytoon::chaos
