// A server on a free port of the loopback, with a fake service behind it, keys, a folder and a log.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "fake_service.h"
#include "raw_client.h"
#include "server/http/http_server.h"

namespace pytoon::http::testing_support {

inline constexpr std::string_view kSubmitKey = "submit-key-acme";
inline constexpr std::string_view kReadKey = "read-key-acme";
inline constexpr std::string_view kBothKey = "both-key-acme";
inline constexpr std::string_view kOtherKey = "both-key-other-tenant";
inline constexpr std::string_view kAdminKey = "admin-key-1";

std::string key_header(std::string_view key);

class LiveServer : public ::testing::Test {
 protected:
  LiveServer();
  ~LiveServer() override;

  // Change options before; SetUp() of a test that wants others calls this itself.
  void start();
  void SetUp() override { start(); }

  RawClient client() const { return RawClient(server->port()); }
  Reply get(std::string_view target, std::string_view key = kAdminKey,
            std::string_view headers = "") const;
  Reply post(std::string_view target, std::string_view headers, std::string_view body,
             std::string_view key = kAdminKey) const;
  Reply erase(std::string_view target, std::string_view key) const;  // DELETE
  // Asks for /health on a new connection.
  bool alive() const;
  // Waits until the condition holds; false after 20 s.
  bool eventually(const std::function<bool()>& condition);
  std::vector<AccessRecord> served() const;
  std::string log_text() const;

  const std::filesystem::path folder;
  Options options;
  SystemClock clock;
  FakeService service;
  std::unique_ptr<HttpServer> server;
  std::atomic<bool> unusable{false};  // what /health is told

 private:
  std::ostringstream log_bytes_;
  Log log_;
  mutable std::mutex mutex_;
  std::vector<AccessRecord> served_;
};

// Of this process.
std::size_t open_descriptors();
std::size_t thread_count();
std::size_t resident_bytes();
// By how much that has grown. Nothing under a sanitizer, which keeps freed memory, or notes of it.
std::size_t grown_since(std::size_t resident_before);

// Repeatable noise.
std::string noise(std::size_t bytes, std::uint64_t seed);

// Unlike files.h, without waiting for the disk.
void write_bytes(const std::filesystem::path& path, std::string_view bytes);

// A multipart form with the file and its category.
std::string form_of(std::string_view file, std::string_view category,
                    std::string_view client_name = "a.png");
inline constexpr std::string_view kUpload = "/api/v1/assets/upload";
inline constexpr std::string_view kJson = "Content-Type: application/json\r\n";
inline constexpr std::string_view kFormType =
    "Content-Type: multipart/form-data; boundary=frontier\r\n";

}  // namespace pytoon::http::testing_support
