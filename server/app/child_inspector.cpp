#include "server/app/child_inspector.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "pipeline/media/audio/audio_file.h"
#include "pipeline/media/clip/inspect_clip.h"
#include "pipeline/media/image/image_file.h"
#include "server/app/commands.h"
#include "server/app/spawned.h"

namespace pytoon::app {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::size_t kAnswerBytesMax = 64 << 10;
constexpr rlim_t kFilesMax = 64;
constexpr rlim_t kFileBytesMax = rlim_t{1} << 30;  // large images are unpacked beside memory

json to_json(const media::MediaInfo& info) {
  return {{"format", info.format},       {"codec", info.codec},
          {"width", info.size.width},    {"height", info.size.height},
          {"has_alpha", info.has_alpha}, {"duration_seconds", info.duration_seconds},
          {"channels", info.channels},   {"sample_rate", info.sample_rate}};
}

media::MediaInfo info_from(const json& answer) {
  media::MediaInfo info;
  info.format = answer.at("format").get<std::string>();
  info.codec = answer.at("codec").get<std::string>();
  info.size = {answer.at("width").get<int>(), answer.at("height").get<int>()};
  info.has_alpha = answer.at("has_alpha").get<bool>();
  info.duration_seconds = answer.at("duration_seconds").get<double>();
  info.channels = answer.at("channels").get<int>();
  info.sample_rate = answer.at("sample_rate").get<int>();
  return info;
}

Failure failure_from(const json& answer) {
  const std::string label = answer.at("failure").get<std::string>();
  const auto known = std::find_if(kFailureTable.begin(), kFailureTable.end(),
                                  [&](const FailureTraits& one) { return one.label == label; });
  const FailureKind kind = known == kFailureTable.end() ? FailureKind::kMedia : known->kind;
  return failure(kind, answer.at("detail").get<std::string>());
}

// A child that is ended and waited for, whatever happens.
class Child {
 public:
  Child(pid_t pid, int answers) : pid_(pid), answers_(answers) {}
  ~Child() {
    if (pid_ > 0) end();
    ::close(answers_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int end() {
    ::kill(pid_, SIGKILL);
    return wait_for_end(std::exchange(pid_, 0));
  }
  // All that it says until it closes its output; false at the deadline.
  bool read_all(std::string& text, SteadyTime deadline) const {
    const SystemClock clock;
    std::array<char, 4096> part{};
    while (text.size() < kAnswerBytesMax) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - clock.steady_now());
      if (left.count() <= 0) return false;
      pollfd ready{answers_, POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) return false;
      if (ready.revents == 0) continue;
      const ssize_t count = ::read(answers_, part.data(), part.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return true;
      text.append(part.data(), static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  pid_t pid_;
  const int answers_;
};

// What decodes a stranger's bytes needs to know no key of ours.
std::vector<std::string> harmless_environment() {
  std::vector<std::string> variables{"LC_ALL=C.UTF-8"};
  for (const char* name : {"LD_LIBRARY_PATH", "PATH", "TMPDIR"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

// Its standard error goes nowhere: decoders say a line for each broken byte.
Result<std::unique_ptr<Child>> start(const std::string& program, std::vector<std::string> words) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return failure(FailureKind::kUnavailable, "no pipe can be made: too many files are open");
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  std::vector<std::string> variables = harmless_environment();
  const int spawned = ::posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                    spawn_list(words).data(), spawn_list(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (spawned != 0) {
    ::close(pipe[0]);
    return failure(FailureKind::kUnavailable, "no process can be started to decode the file");
  }
  return std::make_unique<Child>(pid, pipe[0]);
}

Failure too_much() {
  return failure(FailureKind::kInvalid,
                 "decoding the file takes more memory or time than any good one needs: export it "
                 "again, with fewer or shorter tracks");
}

Failure undecodable() {
  return failure(FailureKind::kMalformed, "the file can't be decoded: its decoder gave up");
}

// Whatever a decoder makes of a stranger's bytes is their fault; a disk that can't be read is not.
bool blames_us(FailureKind kind) {
  const bool machine = kind == FailureKind::kIo || kind == FailureKind::kStorageFull ||
                       kind == FailureKind::kUnavailable;
  return traits(kind).http_status >= 500 && !machine;
}

Result<media::MediaInfo> inspect(const std::string& kind, const std::filesystem::path& file) {
  if (kind == "clip") return media::inspect_clip(file);
  if (kind == "audio") return media::inspect_audio(file);
  return media::inspect_image(file);
}

void limit(int resource, rlim_t most) {
  const rlimit value{most, most};
  (void)::setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

}  // namespace

Result<media::MediaInfo> ChildInspector::ask(const std::string& kind,
                                             const std::filesystem::path& file) {
  const SystemClock clock;
  auto child =
      start(program_, {"pytoon", "inspect", kind, file.string(),
                       std::to_string(limits_.memory_bytes), std::to_string(limits_.cpu.count())});
  if (!child) return child.failure();
  std::string text;
  const bool in_time = (*child)->read_all(text, clock.steady_now() + limits_.wall);
  // One that has closed its output is at its end already, and keeps the status that it has.
  const int status = (*child)->end();
  if (!in_time) return too_much();
  const json answer = parse_json<json>(text);
  if (answer.is_object()) {
    if (answer.contains("failure")) return failure_from(answer);
    return info_from(answer);
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
    return too_much();
  }
  return undecodable();
}

Result<media::MediaInfo> ChildInspector::inspect_image(const std::filesystem::path& file) {
  return ask("image", file);
}

Result<media::MediaInfo> ChildInspector::inspect_clip(const std::filesystem::path& file) {
  return ask("clip", file);
}

Result<media::MediaInfo> ChildInspector::inspect_audio(const std::filesystem::path& file) {
  return ask("audio", file);
}

// The child's side, `pytoon inspect KIND FILE MEMORY_BYTES CPU_SECONDS`: one JSON answer on
// standard output. Its exit status is 0 whenever it could say something.
int inspect_in_child(const std::string& kind, const std::filesystem::path& file,
                     std::uint64_t memory_bytes, std::uint64_t cpu_seconds) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_DATA, memory_bytes);
  limit(RLIMIT_CPU, cpu_seconds);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, kFileBytesMax);
  limit(RLIMIT_NOFILE, kFilesMax);
  json answer;
  try {
    Result<media::MediaInfo> info = inspect(kind, file);
    if (!info && info.failure().kind == FailureKind::kOutOfMemory) info = too_much();
    if (!info && blames_us(info.failure().kind)) info = undecodable();
    answer = info ? to_json(*info)
                  : json{{"failure", traits(info.failure().kind).label},
                         {"detail", info.failure().detail}};
  } catch (const std::bad_alloc&) {
    answer = {{"failure", traits(too_much().kind).label}, {"detail", too_much().detail}};
  }
  std::cout << json_text(answer) << std::flush;
  return 0;
}

}  // namespace pytoon::app
