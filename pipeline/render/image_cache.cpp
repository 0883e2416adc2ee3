#include "pipeline/render/image_cache.h"

#include <algorithm>

namespace pytoon::render {

Result<ImageCache::Value> ImageCache::find(Kind kind, const std::string& key, const Build& build) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (Value value = look_up(key)) {
      ++stats_.hits;
      return value;
    }
    const auto found = flights_.find(key);
    if (found == flights_.end()) return build_alone(kind, key, build, lock);
    const std::shared_ptr<Flight> flight = found->second;
    landed_.wait(lock, [&flight] { return flight->landed; });
    if (!flight->outcome) continue;
    if (*flight->outcome) ++stats_.hits;
    return *flight->outcome;
  }
}

Result<ImageCache::Value> ImageCache::build_alone(Kind kind, const std::string& key,
                                                  const Build& build,
                                                  std::unique_lock<std::mutex>& lock) {
  const auto flight = std::make_shared<Flight>();
  flights_[key] = flight;
  ++stats_.builds.at(static_cast<std::size_t>(kind));
  // However the build ends, those who wait for it must hear of it.
  struct Landing {
    ImageCache& cache;
    const std::string& key;
    Flight& flight;
    std::unique_lock<std::mutex>& lock;
    ~Landing() {
      if (!lock.owns_lock()) lock.lock();
      flight.landed = true;
      cache.flights_.erase(key);
      cache.landed_.notify_all();
    }
  };
  std::vector<Value> gone;  // their memory is let go without the lock
  std::optional<Result<Value>> outcome;
  {
    const Landing landing{*this, key, *flight, lock};
    lock.unlock();
    Result<Built<void>> built = build();
    lock.lock();
    if (built) {
      outcome = built->value;
      keep(kind, key, std::move(*built), gone);
    } else {
      outcome = built.failure();
    }
    flight->outcome = outcome;
  }
  lock.unlock();
  return *outcome;
}

ImageCache::Value ImageCache::look_up(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  if (!entry.kept) return entry.lent.lock();
  recent_.splice(recent_.end(), recent_, entry.place);
  return entry.kept;
}

void ImageCache::keep(Kind kind, const std::string& key, Built<void> built,
                      std::vector<Value>& gone) {
  std::erase_if(entries_, [](const auto& entry) {
    return !entry.second.kept && entry.second.lent.expired();
  });
  Entry& entry = entries_[key];
  if (kind == Kind::kDecoded || !make_room(built.bytes, gone)) {
    entry.lent = built.value;
    return;
  }
  entry.kept = std::move(built.value);
  entry.bytes = built.bytes;
  entry.place = recent_.insert(recent_.end(), key);
  stats_.bytes += built.bytes;
  stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.bytes);
}

bool ImageCache::make_room(std::uint64_t bytes, std::vector<Value>& gone) {
  std::uint64_t pinned = 0;
  for (const std::string& key : recent_) {
    const Entry& entry = entries_.at(key);
    if (entry.pinned()) pinned += entry.bytes;
  }
  if (bytes > bytes_max_ - pinned) return false;
  drop_down_to(bytes_max_ - bytes, gone);
  return true;
}

// Whoever holds a value got it under the lock, so one that only we hold stays that way meanwhile.
void ImageCache::drop_down_to(std::uint64_t bytes, std::vector<Value>& gone) {
  for (auto key = recent_.begin(); key != recent_.end() && stats_.bytes > bytes;) {
    const auto found = entries_.find(*key);
    Entry& entry = found->second;
    if (entry.pinned()) {
      ++key;
      continue;
    }
    stats_.bytes -= entry.bytes;
    ++stats_.evictions;
    gone.push_back(std::move(entry.kept));
    entries_.erase(found);
    key = recent_.erase(key);
  }
}

void ImageCache::drop_unused() {
  std::vector<Value> gone;
  const std::lock_guard lock(mutex_);
  drop_down_to(0, gone);
}

ImageCache::Stats ImageCache::stats() const {
  const std::lock_guard lock(mutex_);
  Stats stats = stats_;
  stats.bytes_max = bytes_max_;
  stats.entries = recent_.size();
  return stats;
}

}  // namespace pytoon::render
