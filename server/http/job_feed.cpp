#include "server/http/job_feed.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace pytoon::http {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};  // less than the streamer's tick

JobFeed::Reading reading_of(Result<jobs::Job> job) {
  return std::make_shared<const Result<jobs::Job>>(std::move(job));
}

}  // namespace

JobFeed::JobFeed(jobs::Service& service) : service_(service), thread_([this] { run(); }) {}

JobFeed::~JobFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

JobFeed::Follower JobFeed::follow(const jobs::Caller& caller, const jobs::Job& job) {
  std::string key = caller.seen_tenant().value_or("*") + "/" + job.id;
  {
    const std::lock_guard lock(mutex_);
    Followed& followed = followed_[key];
    followed.caller = caller;
    followed.id = job.id;
    ++followed.followers;
    const Reading& known = followed.reading;
    if (!known || !known->ok() || (*known)->version < job.version) {
      followed.reading = reading_of(job);
    }
  }
  wake_.notify_one();
  return {*this, std::move(key)};
}

JobFeed::Reading JobFeed::latest(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return followed_.at(key).reading;
}

void JobFeed::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = followed_.find(key);
  if (--found->second.followers == 0) followed_.erase(found);
}

void JobFeed::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    wake_.wait(lock, [this] { return stopped_ || !followed_.empty(); });
    if (wake_.wait_for(lock, kLookEvery, [this] { return stopped_; })) return;
    look(lock);
  }
}

// A database that is away has no news.
void JobFeed::look(std::unique_lock<std::mutex>& lock) {
  std::vector<std::string> ids;
  for (const auto& [key, followed] : followed_) {
    if (followed.reading->ok()) ids.push_back(followed.id);
  }
  if (ids.empty()) return;
  lock.unlock();
  const auto versions = service_.versions(ids);
  lock.lock();
  if (!versions) return;
  std::vector<std::string> changed;
  for (const auto& [key, followed] : followed_) {
    if (!followed.reading->ok()) continue;
    const auto found = versions->find(followed.id);
    const bool same = found != versions->end() && found->second == (*followed.reading)->version;
    if (!same) changed.push_back(key);
  }
  for (const std::string& key : changed) read_again(key, lock);
}

void JobFeed::read_again(const std::string& key, std::unique_lock<std::mutex>& lock) {
  auto found = followed_.find(key);
  if (found == followed_.end()) return;
  const Followed before = found->second;
  lock.unlock();
  Result<jobs::Job> job = service_.job(before.caller, before.id);
  lock.lock();
  if (!job && traits(job.failure().kind).may_pass()) return;
  found = followed_.find(key);
  // What a follower brought meanwhile may be newer.
  const bool same = found != followed_.end() && found->second.reading == before.reading;
  if (same) found->second.reading = reading_of(std::move(job));
}

}  // namespace pytoon::http
