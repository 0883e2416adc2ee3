// A decoder host whose decoders do what a file tells them, as if it had taken them over: an image
// by its text, a clip by its width. A file that says nothing of that kind is decoded as in the
// product.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/input_file.h"
#include "pipeline/media/decoder/decoder_host.h"
#include "pipeline/media/decoder/local_decoder.h"

// Read by AddressSanitizer. A decoder that crashes is to end as in the product, by its signal.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "handle_segv=0"; }

namespace pytoon::media {
namespace {

// "done", or what the system said.
std::string said(long answer) {
  if (answer >= 0) return "done";
  return errno == EPERM || errno == EACCES ? "refused" : "error " + std::to_string(errno);
}

std::string run_thread() {
  std::string ran = "no";
  std::thread([&ran] { ran = "done"; }).join();
  return ran;
}

std::string take_memory() {
  std::vector<std::string> all;
  for (;;) all.emplace_back(std::size_t{16} << 20U, 'x');
}

std::string list_of_libraries() {
  const FileDescriptor maps(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  return said(maps.get());
}

// How many descriptors it has.
std::string open_descriptors() {
  constexpr int kMost = 1024;
  int count = 0;
  for (int one = 0; one < kMost; ++one) count += ::fcntl(one, F_GETFD) >= 0 ? 1 : 0;
  return std::to_string(count);
}

std::string spin() {
  volatile bool on = true;
  while (on) continue;
  return "";
}

std::string ends(int signal) {
  ::signal(signal, SIG_DFL);
  if (signal == SIGSEGV) *static_cast<volatile int*>(nullptr) = 1;
  std::abort();
}

const std::map<std::string, std::function<std::string()>>& attempts() {
  static const std::map<std::string, std::function<std::string()>> all{
      {"open", [] { return said(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); }},
      {"open-own", [] { return said(::open("/dev/fd/3", O_RDONLY | O_CLOEXEC)); }},
      {"maps", list_of_libraries},
      {"create", [] { return said(::open("pytoon-owned", O_WRONLY | O_CREAT, 0600)); }},
      {"write-own", [] { return said(::write(3, "x", 1)); }},
      {"unlink", [] { return said(::unlink("pytoon-owned")); }},
      {"stat", [] { return said(::access("/etc/passwd", R_OK)); }},
      {"socket", [] { return said(::socket(AF_INET, SOCK_STREAM, 0)); }},
      {"unix-socket", [] { return said(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
      {"fork", [] { return said(::fork()); }},
      {"kill", [] { return said(::kill(::getppid(), SIGKILL)); }},
      {"kill-host", [] { return said(::kill(1, SIGKILL)); }},
      {"code",
       [] {
         void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return said(page == MAP_FAILED ? -1 : 0);
       }},
      {"exec",
       [] {
         char* const none[] = {nullptr};
         return said(::execve("/bin/true", none, none));
       }},
      {"ptrace", [] { return said(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
      {"limits", [] { return said(::setuid(0)); }},
      {"descriptors", open_descriptors},
      {"thread", run_thread},
      {"memory", take_memory},
      {"spin", spin},
      {"sleep",
       [] {
         for (;;) ::poll(nullptr, 0, -1);
         return std::string();
       }},
      {"exit", []() -> std::string { ::_exit(3); }},
      {"segv", [] { return ends(SIGSEGV); }},
      {"abort", [] { return ends(SIGABRT); }},
      {"babble",
       []() -> std::string {
         (void)!::write(4, "[1,2", 4);
         for (;;) ::pause();
       }},
  };
  return all;
}

// Plays well until this frame.
constexpr std::size_t kFatalFrame = 5;

class HostileClip final : public ClipPlayer {
 public:
  HostileClip(std::unique_ptr<ClipPlayer> player, int width)
      : player_(std::move(player)), width_(width) {}

  Result<gpu::Nv12Frame> frame(std::size_t index) override {
    Result<gpu::Nv12Frame> shown = player_->frame(index);
    if (!shown || index != kFatalFrame) return shown;
    static const std::map<int, std::string> words{{66, "segv"},   {68, "sleep"}, {70, "spin"},
                                                  {72, "memory"}, {74, "exec"},  {76, "exit"},
                                                  {78, "babble"}};
    const auto word = words.find(width_);
    if (word != words.end()) attempts().at(word->second)();
    // Says that it is another size than it is.
    if (width_ == 82) shown->size = {4098, 4098};
    if (width_ == 84) shown->size = {-2, 1 << 30};
    if (width_ == 86) shown->size = {33, 33};
    return shown;
  }
  Result<gpu::RgbaImage> cutout(std::size_t index) override { return player_->cutout(index); }

 private:
  const std::unique_ptr<ClipPlayer> player_;
  const int width_;
};

class HostileDecoder final : public FileDecoder {
 public:
  Result<MediaInfo> inspect(FileKind kind, const std::filesystem::path& file) override {
    const Result<InputFile> opened = InputFile::open(file);
    if (!opened) return opened.failure();
    const std::string word = opened->text_at(0, 64);
    const auto attempt = attempts().find(word);
    if (attempt == attempts().end()) return local_.inspect(kind, file);
    MediaInfo info;
    info.codec = attempt->second();
    return info;
  }
  Result<MediaInfo> image_header(const std::filesystem::path& file) override {
    return local_.image_header(file);
  }
  // Says that there is more than there is.
  Result<gpu::RgbaImage> read_image(const std::filesystem::path& file) override {
    Result<gpu::RgbaImage> image = local_.read_image(file);
    if (image && image->size.width == 7) image->size = {4096, 4096};
    if (image && image->size.width == 9) image->size = {-1, 1 << 30};
    return image;
  }
  Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                         const CancelToken& cancel) override {
    return local_.read_audio(file, samples_max, cancel);
  }
  Result<std::shared_ptr<const ClipIndex>> read_clip_index(
      const std::filesystem::path& file) override {
    return local_.read_clip_index(file);
  }
  Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& file,
                                                 UnsaidMatrix matrix) override {
    return local_.tagged_clip(file, matrix);
  }
  std::unique_ptr<ClipPlayer> open_clip(const ClipOrder& order) override {
    return std::make_unique<HostileClip>(local_.open_clip(order), order.clip->stored.width);
  }

 private:
  LocalDecoder local_;
};

}  // namespace
}  // namespace pytoon::media

int main(int argc, char** argv) {
  pytoon::media::HostileDecoder decoder;
  return pytoon::media::serve_decoders(pytoon::media::kDecoderControl, decoder,
                                       argc > 2 ? std::atoi(argv[2]) : 0);
}
