#include "base/row_bands.h"

#include <algorithm>
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

void in_row_bands(int rows, const std::function<void(int first, int last)>& work) {
  const int bands = bands_of(rows);
  const auto first_of = [&](int band) { return rows * band / bands; };
  std::vector<std::future<void>> others;
  for (int band = 1; band < bands; ++band) {
    others.push_back(std::async(std::launch::async, work, first_of(band), first_of(band + 1)));
  }
  work(0, first_of(1));
  for (std::future<void>& other : others) other.get();
}

}  // namespace pytoon
