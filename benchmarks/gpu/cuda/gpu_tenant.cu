// Another program on the same card, for measurements and checks beside a neighbour.
//   gpu_tenant busy SECONDS
//       keeps every multiprocessor busy with fused multiply-adds; prints what it got done, as JSON
//   gpu_tenant fill LEAVE_MIB SECONDS
//       takes memory until only that much is free, holds it that long, taking more when some comes
//       free, and gives it back
//   gpu_tenant wander SEED LOW_MIB HIGH_MIB SECONDS
//       leaves now more and now less free, between these two, as the seed says: some twenty times
//       in ten seconds
//   gpu_tenant hold LEAVE_MIB SECONDS
//       as fill, but what comes free later it leaves to others
//   gpu_tenant told
//       takes as much as the last line of standard input says, in MiB, until that ends; answers
//       each line with "ok TOTAL FREE HELD"; to `look` with the same, and takes nothing
// Each prints "ready" once it has begun. Shares no code of gpu/ with what is measured.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "base/clock.h"

namespace {

constexpr int kThreads = 256;
constexpr int kRounds = 1 << 14;
constexpr double kOperationsPerRound = 16;  // 8 multiply-adds
constexpr std::size_t kMib = std::size_t{1} << 20;

std::size_t mib(const char* text) { return static_cast<std::size_t>(std::atol(text)) * kMib; }

int fail(const char* doing, cudaError_t error) {
  std::fprintf(stderr, "gpu_tenant: %s: %s\n", doing, cudaGetErrorString(error));
  return 1;
}

double seconds_between(pytoon::SteadyTime start, pytoon::SteadyTime end) {
  return std::chrono::duration<double>(end - start).count();
}

void say_ready() {
  std::puts("ready");
  std::fflush(stdout);
}

// Eight independent chains a thread, so that the units are full; the sum keeps them alive.
__global__ void __launch_bounds__(kThreads) multiply_add(float* sums, float factor) {
  float chain[8];
  for (int k = 0; k < 8; ++k) chain[k] = static_cast<float>(threadIdx.x + k);
  for (int i = 0; i < kRounds; ++i) {
    for (int k = 0; k < 8; ++k) chain[k] = __fmaf_rn(chain[k], factor, 0.5F);
  }
  float sum = 0;
  for (int k = 0; k < 8; ++k) sum += chain[k];
  sums[blockIdx.x * kThreads + threadIdx.x] = sum;
}

int busy(double seconds) {
  cudaDeviceProp facts{};
  cudaError_t error = cudaGetDeviceProperties(&facts, 0);
  if (error != cudaSuccess) return fail("no GPU", error);
  const int blocks = facts.multiProcessorCount * 8 * 4;
  float* sums = nullptr;
  error = cudaMalloc(&sums, sizeof(float) * static_cast<std::size_t>(blocks) * kThreads);
  if (error != cudaSuccess) return fail("no memory", error);
  constexpr int kAhead = 4;  // launches that wait on the card: it is never idle between two
  cudaEvent_t done[kAhead];
  for (cudaEvent_t& event : done) (void)cudaEventCreate(&event);
  pytoon::SystemClock clock;
  const pytoon::SteadyTime start = clock.steady_now();
  long launches = 0;
  while (seconds_between(start, clock.steady_now()) < seconds) {
    cudaEvent_t event = done[launches % kAhead];
    if (launches >= kAhead) (void)cudaEventSynchronize(event);
    multiply_add<<<blocks, kThreads>>>(sums, 0.999F);
    (void)cudaEventRecord(event);
    if (launches++ == 0) say_ready();
  }
  error = cudaDeviceSynchronize();
  if (error != cudaSuccess) return fail("the kernel failed", error);
  const double operations = kOperationsPerRound * kRounds * kThreads * blocks * launches;
  std::printf("{\"seconds\": %.3f, \"tflops\": %.2f}\n", seconds_between(start, clock.steady_now()),
              operations / seconds_between(start, clock.steady_now()) / 1e12);
  (void)cudaFree(sums);
  return 0;
}

// Takes what is free beyond `leave`, in ever smaller pieces.
void take(std::size_t leave, std::vector<void*>& held) {
  for (std::size_t piece = 1024 * kMib; piece >= 2 * kMib; piece /= 2) {
    for (;;) {
      std::size_t free_bytes = 0;
      std::size_t total_bytes = 0;
      void* memory = nullptr;
      if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) return;
      if (free_bytes < leave + piece) break;
      if (cudaMalloc(&memory, piece) != cudaSuccess) {
        (void)cudaGetLastError();
        break;
      }
      held.push_back(memory);
    }
  }
}

int fill(std::size_t leave, double seconds, bool again) {
  const cudaError_t error = cudaFree(nullptr);
  if (error != cudaSuccess) return fail("no GPU", error);
  std::vector<void*> held;
  take(leave, held);
  say_ready();
  pytoon::SystemClock clock;
  const pytoon::SteadyTime start = clock.steady_now();
  while (seconds_between(start, clock.steady_now()) < seconds) {
    clock.sleep_for(std::chrono::milliseconds(50));  // tidy: a program of its own
    if (again) take(leave, held);
  }
  for (void* memory : held) (void)cudaFree(memory);
  return 0;
}

// Takes or gives back pieces until about that much is free; who else takes some has it.
void leave_free(std::size_t target, std::vector<void*>& held) {
  constexpr std::size_t kPiece = 32 * kMib;
  for (;;) {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) return;
    if (free_bytes >= target + kPiece) {
      void* memory = nullptr;
      if (cudaMalloc(&memory, kPiece) != cudaSuccess) {
        (void)cudaGetLastError();
        return;
      }
      held.push_back(memory);
    } else if (free_bytes + kPiece <= target && !held.empty()) {
      (void)cudaFree(held.back());
      held.pop_back();
    } else {
      return;
    }
  }
}

int wander(unsigned seed, std::size_t low, std::size_t high, double seconds) {
  const cudaError_t error = cudaFree(nullptr);
  if (error != cudaSuccess) return fail("no GPU", error);
  std::vector<void*> rest;  // of the card, for the whole time
  take(high, rest);
  say_ready();
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> target(low, high);
  std::uniform_int_distribution<int> pause(50, 950);
  std::vector<void*> held;
  pytoon::SystemClock clock;
  const pytoon::SteadyTime start = clock.steady_now();
  while (seconds_between(start, clock.steady_now()) < seconds) {
    leave_free(target(random), held);
    clock.sleep_for(std::chrono::milliseconds(pause(random)));  // tidy: a program of its own
  }
  return 0;
}

struct Piece {
  void* memory = nullptr;
  std::size_t bytes = 0;
};

// What it held before when the driver does not give so much.
std::size_t hold(std::size_t wanted, std::size_t held, std::vector<Piece>& pieces) {
  constexpr std::size_t kPiece = 64 * kMib;
  const std::size_t before = held;
  const auto give_back = [&] {
    held -= pieces.back().bytes;
    (void)cudaFree(pieces.back().memory);
    pieces.pop_back();
  };
  while (held > wanted) give_back();
  while (held < wanted) {
    Piece piece{nullptr, std::min(kPiece, wanted - held)};
    if (cudaMalloc(&piece.memory, piece.bytes) != cudaSuccess) {
      (void)cudaGetLastError();
      while (held > before) give_back();
      return held;
    }
    pieces.push_back(piece);
    held += piece.bytes;
  }
  return held;
}

int told() {
  const cudaError_t error = cudaFree(nullptr);
  if (error != cudaSuccess) return fail("no GPU", error);
  say_ready();
  std::vector<Piece> pieces;
  std::size_t held = 0;
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    if (std::strncmp(line, "look", 4) != 0) held = hold(mib(line), held, pieces);
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    if (cudaMemGetInfo(&free_bytes, &total_bytes) != cudaSuccess) return 1;
    std::printf("ok %zu %zu %zu\n", total_bytes / kMib, free_bytes / kMib, held / kMib);
    std::fflush(stdout);
  }
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "busy") == 0) return busy(std::atof(argv[2]));
  const bool fills = argc == 4 && std::strcmp(argv[1], "fill") == 0;
  if (fills || (argc == 4 && std::strcmp(argv[1], "hold") == 0)) {
    return fill(mib(argv[2]), std::atof(argv[3]), fills);
  }
  if (argc == 2 && std::strcmp(argv[1], "told") == 0) return told();
  if (argc == 6 && std::strcmp(argv[1], "wander") == 0) {
    return wander(static_cast<unsigned>(std::atol(argv[2])), mib(argv[3]), mib(argv[4]),
                  std::atof(argv[5]));
  }
  std::fprintf(stderr,
               "usage: gpu_tenant busy SECONDS | fill LEAVE_MIB SECONDS | hold LEAVE_MIB SECONDS |"
               " wander SEED LOW_MIB HIGH_MIB SECONDS | told\n");
  return 2;
}
