#include "engines/remote/spend_ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace pytoon::engines {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kKeptDays = 7;
constexpr double kMicro = 1e6;

std::string usd(std::int64_t micro_usd) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f USD", static_cast<double>(micro_usd) / kMicro);
  return text;
}

std::string line_of(const std::string& key, const Purchase* purchase) {
  Json line{{"key", key}};
  if (purchase != nullptr) {
    line["state"] = static_cast<int>(purchase->state);
    line["job"] = purchase->job_id;
    line["id"] = purchase->remote_id;
    line["micro_usd"] = purchase->micro_usd;
    line["begun"] = purchase->begun_s;
  }
  return line.dump() + "\n";
}

}  // namespace

std::int64_t MemoryLedger::now_s() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
}

Status MemoryLedger::record(const std::string& /*key*/, const Purchase* /*purchase*/) {
  return ok_status();
}

Status MemoryLedger::within_caps(const std::string& job_id, std::int64_t micro_usd) const {
  const std::int64_t today = now_s() / kDaySeconds;
  std::int64_t of_job = micro_usd;
  std::int64_t of_day = micro_usd;
  for (const auto& row : purchases_) {
    const Purchase& purchase = row.second;
    if (purchase.job_id == job_id) of_job += purchase.micro_usd;
    if (purchase.begun_s / kDaySeconds == today) of_day += purchase.micro_usd;
  }
  if (of_job > caps_.per_job_micro_usd) {
    return failure(FailureKind::kForbidden,
                   "the job would spend more than " + usd(caps_.per_job_micro_usd));
  }
  if (of_day > caps_.per_day_micro_usd) {
    return failure(FailureKind::kForbidden,
                   "today more than " + usd(caps_.per_day_micro_usd) + " would be spent");
  }
  return ok_status();
}

Result<Purchase> MemoryLedger::begin(const std::string& key, const std::string& job_id,
                                     std::int64_t micro_usd) {
  const std::lock_guard lock(mutex_);
  if (const auto known = purchases_.find(key); known != purchases_.end()) return known->second;
  if (micro_usd > 0) {
    if (Status allowed = within_caps(job_id, micro_usd); !allowed) return allowed.failure();
  }
  Purchase made{Purchase::State::kAsked, job_id, "", micro_usd, now_s()};
  if (Status kept = record(key, &made); !kept) return kept.failure();
  purchases_[key] = made;
  made.state = Purchase::State::kNew;
  return made;
}

Status MemoryLedger::change(const std::string& key, Purchase::State state,
                            const std::string& remote_id) {
  const std::lock_guard lock(mutex_);
  const auto known = purchases_.find(key);
  CHECK(known != purchases_.end(), "a purchase is begun before it changes");
  Purchase made = known->second;
  made.state = state;
  if (!remote_id.empty()) made.remote_id = remote_id;
  if (Status kept = record(key, &made); !kept) return kept;
  known->second = std::move(made);
  return ok_status();
}

Status MemoryLedger::ordered(const std::string& key, const std::string& remote_id) {
  return change(key, Purchase::State::kOrdered, remote_id);
}

Status MemoryLedger::ended(const std::string& key) {
  return change(key, Purchase::State::kEnded, "");
}

Status MemoryLedger::released(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (Status kept = record(key, nullptr); !kept) return kept;
  purchases_.erase(key);
  return ok_status();
}

FileLedger::FileLedger(fs::path journal, const Clock& clock, SpendCaps caps)
    : MemoryLedger(clock, caps), journal_(std::move(journal)) {}

Result<std::unique_ptr<FileLedger>> FileLedger::open(const fs::path& journal, const Clock& clock,
                                                     SpendCaps caps) {
  std::unique_ptr<FileLedger> ledger(new FileLedger(journal, clock, caps));
  std::error_code ignored;
  fs::create_directories(journal.parent_path(), ignored);
  if (fs::exists(journal, ignored)) {
    Result<std::string> text = read_file(journal);
    if (!text) return text.failure();
    ledger->read(*text);
  }
  if (Status written = ledger->rewrite(); !written) return written.failure();
  return ledger;
}

void FileLedger::read(const std::string& text) {
  std::size_t at = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const Json line = Json::parse(text.substr(at, end - at), nullptr, false);
    at = end + 1;
    if (!line.is_object() || !line.contains("key")) continue;
    const std::string key = line["key"].get<std::string>();
    if (!line.contains("state")) {
      forget(key);
      continue;
    }
    Purchase purchase;
    purchase.state = static_cast<Purchase::State>(line.value("state", 1));
    purchase.job_id = line.value("job", "");
    purchase.remote_id = line.value("id", "");
    purchase.micro_usd = line.value("micro_usd", std::int64_t{0});
    purchase.begun_s = line.value("begun", std::int64_t{0});
    if (now_s() - purchase.begun_s < kKeptDays * kDaySeconds) restore(key, std::move(purchase));
  }
}

Status FileLedger::rewrite() const {
  std::string text;
  for (const auto& [key, purchase] : purchases()) text += line_of(key, &purchase);
  return write_file_atomically(journal_, text);
}

Status FileLedger::record(const std::string& key, const Purchase* purchase) {
  const FileDescriptor fd(
      ::open(journal_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return errno_failure(errno, "can't open the spend journal");
  // A line break first: what an earlier write left torn must not swallow this line.
  const std::string line = "\n" + line_of(key, purchase);
  const ssize_t written = ::write(fd.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    return errno_failure(errno, "can't write the spend journal");
  }
  if (::fsync(fd.get()) != 0) return errno_failure(errno, "can't sync the spend journal");
  return ok_status();
}

}  // namespace pytoon::engines
