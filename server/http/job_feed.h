// What event streams know of the jobs that they follow. A thread of its own asks the database five
// times a second for the versions of all that are followed, in one question, and reads again only
// what has changed: streams cost no query each, and a database that is slow or away holds up none.
//
// Thread rule: any thread. A Follower must not outlive the feed.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "server/jobs/service.h"

namespace pytoon::http {

class JobFeed {
 public:
  // The job as it was last read, or why it can't be read any more.
  using Reading = std::shared_ptr<const Result<jobs::Job>>;

  // The job is watched as long as one of these lives.
  class Follower {
   public:
    // Takes no query.
    Reading latest() const { return feed_->latest(key_); }

    Follower(JobFeed& feed, std::string key) : feed_(&feed), key_(std::move(key)) {}
    ~Follower() {
      if (feed_ != nullptr) feed_->forget(key_);
    }
    Follower(Follower&& other) noexcept
        : feed_(std::exchange(other.feed_, nullptr)), key_(std::move(other.key_)) {}
    Follower& operator=(Follower&&) = delete;

   private:
    JobFeed* feed_;
    std::string key_;
  };

  explicit JobFeed(jobs::Service& service);
  ~JobFeed();
  JobFeed(const JobFeed&) = delete;
  JobFeed& operator=(const JobFeed&) = delete;

  // job: as the caller has just read it.
  Follower follow(const jobs::Caller& caller, const jobs::Job& job);

 private:
  struct Followed {
    jobs::Caller caller;
    std::string id;
    int followers = 0;
    Reading reading;
  };

  Reading latest(const std::string& key) const;
  void forget(const std::string& key);
  void run();
  void look(std::unique_lock<std::mutex>& lock);
  void read_again(const std::string& key, std::unique_lock<std::mutex>& lock);

  jobs::Service& service_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;                      // guarded by mutex_
  std::map<std::string, Followed> followed_;  // by id and by who may see it; guarded by mutex_
  std::thread thread_;
};

}  // namespace pytoon::http
