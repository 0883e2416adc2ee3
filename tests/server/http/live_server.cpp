#include "live_server.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "tests/support/eventually.h"

namespace pytoon::http::testing_support {
namespace fs = std::filesystem;
namespace {

fs::path fresh_folder() {
  std::string name = (fs::temp_directory_path() / "pytoon-http-XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  return name;
}

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace

std::string key_header(std::string_view key) {
  return key.empty() ? "" : "X-API-Key: " + std::string(key) + "\r\n";
}

LiveServer::LiveServer() : folder(fresh_folder()), log_(clock, log_bytes_) {
  std::signal(SIGPIPE, SIG_IGN);
  options.port = 0;
  options.pools.api.threads = 4;
  options.spool_folder = folder / "spool";
  options.plans["default"] = {.requests_per_second = 1e6, .request_burst = 1e6};
  options.failures = {.per_second = 1e6, .burst = 1e6};
  options.connections.of_address = 1'000'000;
  service.put(sample_job("queued"));
  jobs::Job done = sample_job("finished");
  done.status = jobs::JobStatus::kDone;
  done.queue_position = 0;
  service.put(done);
}

LiveServer::~LiveServer() {
  server.reset();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

void LiveServer::start() {
  auto keys = KeyRing::parse(
      "submit-key-acme acme submit\nread-key-acme acme read\nboth-key-acme acme submit,read\n"
      "both-key-other-tenant other submit,read\n");
  ASSERT_TRUE(keys.ok());
  ASSERT_TRUE(keys->add_admin_key(kAdminKey).ok());
  Callbacks callbacks;
  callbacks.metrics_text = [] { return std::string("pytoon_up 1\n"); };
  callbacks.unusable = [this]() -> std::optional<std::string> {
    if (!unusable) return std::nullopt;
    return "the GPU is lost";
  };
  callbacks.on_served = [this](const AccessRecord& one) {
    const std::lock_guard lock(mutex_);
    served_.push_back(one);
  };
  server = std::make_unique<HttpServer>(options, *std::move(keys), service, clock, log_,
                                        std::move(callbacks));
  const Status started = server->start();
  ASSERT_TRUE(started.ok()) << (started.ok() ? "" : started.failure().detail);
}

Reply LiveServer::get(std::string_view target, std::string_view key,
                      std::string_view headers) const {
  return client().ask(request("GET", target, key_header(key) + std::string(headers)));
}

Reply LiveServer::post(std::string_view target, std::string_view headers, std::string_view body,
                       std::string_view key) const {
  return client().ask(request("POST", target, key_header(key) + std::string(headers), body));
}

Reply LiveServer::erase(std::string_view target, std::string_view key) const {
  return client().ask(request("DELETE", target, key_header(key)));
}

bool LiveServer::alive() const { return get("/health", "").status == 200; }

bool LiveServer::eventually(const std::function<bool()>& condition) {
  return support::eventually(condition, std::chrono::seconds(20), std::chrono::milliseconds(20));
}

std::vector<AccessRecord> LiveServer::served() const {
  const std::lock_guard lock(mutex_);
  return served_;
}

// Call when the server is quiet or gone.
std::string LiveServer::log_text() const { return log_bytes_.str(); }

std::size_t open_descriptors() { return entries_of("/proc/self/fd"); }
std::size_t thread_count() { return entries_of("/proc/self/task"); }

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t grown_since([[maybe_unused]] std::size_t resident_before) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  return std::max(resident_bytes(), resident_before) - resident_before;
#endif
}

std::string noise(std::size_t bytes, std::uint64_t seed) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; ++at) {
    if (at % 4 == 0) seed = seed * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX
    text[at] = static_cast<char>(seed >> (32 + at % 4 * 8));
  }
  return text;
}

void write_bytes(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  EXPECT_TRUE(file.flush().good());
}

std::string form_of(std::string_view file, std::string_view category,
                    std::string_view client_name) {
  std::string form = "--frontier\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\n";
  form += category;
  form += "\r\n--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"";
  form += client_name;
  form += "\"\r\nContent-Type: image/png\r\n\r\n";
  form += file;
  form += "\r\n--frontier--\r\n";
  return form;
}

}  // namespace pytoon::http::testing_support
