#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace pytoon {
namespace {

constexpr int kBandsMax = 4;
constexpr int kRowsMin = 64;  // fewer are done before a thread has begun

int bands_of(int rows) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::clamp(rows / kRowsMin, 1, std::min(cores, kBandsMax));
}

}  // namespace

void in_parallel(int count, int at_once, const std::function<void(int index)>& work) {
  std::atomic<int> next{0};
  const auto work_on = [&] {
    for (int index = next++; index < count; index = next++) work(index);
  };
  std::vector<std::future<void>> others;
  for (int thread = 1; thread < std::min(count, at_once); ++thread) {
    others.push_back(std::async(std::launch::async, work_on));
  }
  work_on();
  for (std::future<void>& other : others) other.get();
}

void in_row_bands(int rows, const std::function<void(int first, int last)>& work) {
  const int bands = bands_of(rows);
  const auto first_of = [&](int band) { return rows * band / bands; };
  in_parallel(bands, bands, [&](int band) { work(first_of(band), first_of(band + 1)); });
}

}  // namespace pytoon
