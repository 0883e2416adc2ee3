// SqlStore: what refers to a stored object, and the queue of deletions that are decided.
#include <algorithm>
#include <charconv>

#include "server/io/sql_gc.h"
#include "server/io/sql_writing.h"
#include "server/jobs/object_kind.h"

namespace pytoon::io {
using std::chrono::milliseconds;

namespace {

bool any(const Rows& rows) { return !rows.empty(); }

// "segments/KEY.17.mp4" was written under the lease with epoch 17, as was "outputs/JOB/1.17/FILE";
// 0 where the name has none.
std::int64_t epoch_in(std::string_view key) {
  const bool in_folder = key.starts_with("outputs/");
  const std::string_view stem = key.substr(0, key.rfind(in_folder ? '/' : '.'));
  const std::size_t dot = stem.find_last_of("./");
  if (dot == std::string_view::npos || stem[dot] != '.') return 0;
  const std::string_view digits = stem.substr(dot + 1);
  std::int64_t epoch = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? epoch : 0;
}

std::size_t parts_of(std::string_view key) {
  return static_cast<std::size_t>(std::count(key.begin(), key.end(), '/')) + 1;
}

bool asset_is_named(SqlSession& session, const std::string& key) {
  // Uploads are assets/TENANT/NAME; anything else in there an operator laid down.
  if (parts_of(key) != 3) return true;
  return any(session.query("SELECT 1 FROM assets WHERE key = ?", {key}));
}

// "jobs/JOB/...", "outputs/JOB/...".
std::string job_in(const std::string& key) {
  const std::size_t begin = key.find('/') + 1;
  return key.substr(begin, key.find('/', begin) - begin);
}

bool output_is_named(SqlSession& session, const std::string& key) {
  return any(session.query("SELECT 1 FROM jobs WHERE id = ? AND output_folder = ?",
                           {job_in(key), key.substr(0, key.rfind('/'))}));
}

bool job_file_is_named(SqlSession& session, const std::string& key) {
  if (parts_of(key) < 3) return true;
  return any(
      session.query("SELECT 1 FROM jobs WHERE id = ? AND files_removed_at IS NULL", {job_in(key)}));
}

bool is_named(SqlSession& session, const std::string& key) {
  const std::optional<jobs::ObjectKind> kind = jobs::object_kind(key);
  if (!kind) return true;
  switch (*kind) {
    case jobs::ObjectKind::kSegment:
      return any(session.query(
          "SELECT 1 FROM segments WHERE artifact_key = ? AND artifact_key <> ''", {key}));
    case jobs::ObjectKind::kFootage:
      return any(session.query("SELECT 1 FROM segments WHERE footage_key = ? AND footage_key <> ''",
                               {key}));
    case jobs::ObjectKind::kAudio:
      return any(
          session.query("SELECT 1 FROM jobs WHERE audio_key = ? AND audio_key <> ''", {key}));
    case jobs::ObjectKind::kUpload:
      return asset_is_named(session, key);
    case jobs::ObjectKind::kOutput:
      return output_is_named(session, key);
    case jobs::ObjectKind::kJobFile:
      return job_file_is_named(session, key);
  }
  return true;
}

// The lease is asked about first: whoever held it and committed in between has left the name in a
// row, which is_named() then sees; whoever does not hold it can't commit any more.
bool is_needed(SqlSession& session, const std::string& key) {
  const std::int64_t epoch = epoch_in(key);
  const bool under_way =
      epoch > 0 &&
      any(session.query("SELECT 1 FROM tasks WHERE epoch = ? AND worker_id <> ''", {epoch}));
  return under_way || is_named(session, key);
}

}  // namespace

bool queue_deletion(SqlSession& session, const std::string& key, const std::string& tenant,
                    milliseconds delay) {
  return session.run(
             "INSERT INTO deletions (key, tenant, due_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
             {key, tenant, session.now() + micros(delay)}) == 1;
}

void unqueue_deletion(SqlSession& session, const std::string& key) {
  session.run("DELETE FROM deletions WHERE key = ?", {key});
}

Result<bool> SqlStore::begin_gc_pass(milliseconds pause) {
  return take_turn("begin_gc_pass", "gc_schedule", "next_at", pause);
}

Result<std::vector<std::string>> SqlStore::condemn(const std::vector<std::string>& keys) {
  // Nearly all objects are needed: they cost a look, not a write.
  const auto idle = reading([&](SqlSession& session) -> Result<std::vector<std::string>> {
    std::vector<std::string> found;
    for (const std::string& key : keys) {
      if (!is_needed(session, key)) found.push_back(key);
    }
    return found;
  });
  if (!idle || idle->empty()) return idle;
  return writing("condemn", [&](SqlSession& session) -> Result<std::vector<std::string>> {
    std::vector<std::string> condemned;
    for (const std::string& key : *idle) {
      // First the entry, then the look: keep_asset() does it in the same order, so one sees the
      // other whichever commits first.
      if (!queue_deletion(session, key, "", {})) continue;
      if (is_needed(session, key)) {
        unqueue_deletion(session, key);
      } else {
        condemned.push_back(key);
      }
    }
    return condemned;
  });
}

Result<std::vector<std::string>> SqlStore::take_deletions(int limit, milliseconds lease) {
  const Result<bool> due = reading([](SqlSession& session) -> Result<bool> {
    return any(session.query("SELECT 1 FROM deletions WHERE due_at <= ? LIMIT 1", {session.now()}));
  });
  if (!due) return due.failure();
  if (!*due) return std::vector<std::string>();
  return writing("take_deletions", [&](SqlSession& session) -> Result<std::vector<std::string>> {
    std::vector<std::string> keys;
    for (const Row& row :
         session.query("SELECT key FROM deletions WHERE due_at <= ? ORDER BY due_at, key LIMIT ? "
                       "{FOR UPDATE SKIP LOCKED}",
                       {session.now(), limit})) {
      keys.push_back(row.text(0));
      session.run("UPDATE deletions SET due_at = ? WHERE key = ?",
                  {session.now() + micros(lease), keys.back()});
    }
    return keys;
  });
}

Status SqlStore::deleted(const std::vector<std::string>& keys) {
  return writing("deleted", [&](SqlSession& session) -> Status {
    for (const std::string& key : keys) unqueue_deletion(session, key);
    return ok_status();
  });
}

}  // namespace pytoon::io
