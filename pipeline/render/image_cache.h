// What segments are made from, ready to use: a cache bounded in bytes, shared by all segments of
// all jobs of a process. Least recently used entries go first; one that somebody still holds is
// pinned: it neither goes nor is counted twice. A value that does not fit beside the pinned ones is
// handed out all the same and shared for as long as it is held, but it is not kept, so that the
// bytes kept never exceed the bound.
//
// Keys name the content: a hash of the file and everything that was done to it. Equal images of
// different jobs are therefore one entry, and no entry is ever out of date.
//
// Thread rule: any thread. get() blocks while the value is built, by this thread or by another one
// that asked for the same key before: a value is built once at a time, and a Failure goes to all
// who waited for it; nothing is kept of it. A build may ask for other keys, but never in a circle.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::render {

class ImageCache {
 public:
  enum class Kind {
    kDecoded,   // an image as its file holds it: large, so shared while in use and never kept
    kPrepared,  // on the device: scaled, blurred, cut out; also captions with what is behind them
    kCaptions,  // laid out and drawn on the host
    kClip,      // a clip's index
  };
  static constexpr std::size_t kKinds = 4;

  struct Stats {
    std::uint64_t bytes = 0;       // kept now
    std::uint64_t peak_bytes = 0;  // the most that ever were
    std::uint64_t bytes_max = 0;
    std::uint64_t entries = 0;  // kept now
    std::uint64_t hits = 0;
    std::uint64_t evictions = 0;
    std::array<std::uint64_t, kKinds> builds{};  // by kind
    std::uint64_t built(Kind kind) const { return builds.at(static_cast<std::size_t>(kind)); }
  };

  template <typename T>
  struct Built {
    std::shared_ptr<const T> value;
    std::uint64_t bytes = 0;  // that it takes, wherever it lies
  };

  explicit ImageCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // The value of a key, which must always have the same type. `build` is called when it is not
  // there, without any lock; what it throws, its caller gets, and whoever waited builds anew.
  template <typename T>
  Result<std::shared_ptr<const T>> get(Kind kind, const std::string& key,
                                       const std::function<Result<Built<T>>()>& build) {
    const Result<Value> value = find(kind, key, [&build]() -> Result<Built<void>> {
      Result<Built<T>> built = build();
      if (!built) return built.failure();
      return Built<void>{std::move(built->value), built->bytes};
    });
    if (!value) return value.failure();
    return std::static_pointer_cast<const T>(*value);
  }

  // Lets everything go that nobody holds: what to do when memory ran out.
  void drop_unused();
  Stats stats() const;

 private:
  using Value = std::shared_ptr<const void>;
  using Build = std::function<Result<Built<void>>()>;
  using Recency = std::list<std::string>;  // keys of what is kept, latest used last
  struct Entry {
    Value kept;                      // null when it is only lent
    std::weak_ptr<const void> lent;  // of a value that is not kept
    std::uint64_t bytes = 0;
    Recency::iterator place;  // of a value that is kept
    bool pinned() const { return kept.use_count() > 1; }
  };
  // A value under construction.
  struct Flight {
    bool landed = false;
    std::optional<Result<Value>> outcome;  // none: its build threw
  };

  Result<Value> find(Kind kind, const std::string& key, const Build& build);
  Result<Value> build_alone(Kind kind, const std::string& key, const Build& build,
                            std::unique_lock<std::mutex>& lock);
  Value look_up(const std::string& key);
  // With the lock held; what goes is moved to `gone`, to be destroyed without it.
  void keep(Kind kind, const std::string& key, Built<void> built, std::vector<Value>& gone);
  bool make_room(std::uint64_t bytes, std::vector<Value>& gone);
  void drop_down_to(std::uint64_t bytes, std::vector<Value>& gone);

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable landed_;
  std::map<std::string, Entry> entries_;  // this and what follows is guarded by mutex_
  std::map<std::string, std::shared_ptr<Flight>> flights_;
  Recency recent_;
  Stats stats_;
};

}  // namespace pytoon::render
