// An HTTP/1.1 server for tests, on a free port of 127.0.0.1: a function answers each request, and
// may ask for it to be answered badly. One thread a connection; a connection carries one request.
//
// Thread rule: the handler is called from many threads, one call at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pytoon::support {

struct Call {
  std::string method;
  std::string path;                          // without the query
  std::map<std::string, std::string> query;  // decoded
  std::map<std::string, std::string> headers;
  std::string body;
};

struct Reply {
  enum class Manner {
    kWell,
    kHang,      // accepts and says nothing until the client leaves
    kDrop,      // closes without a word
    kCut,       // promises the whole body, sends half
    kTrickle,   // one byte at a time, `pause` apart
    kTakeOver,  // `talk` has the connection after the head was read
  };
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  Manner manner = Manner::kWell;
  std::chrono::milliseconds pause{20};
  std::function<void(int)> talk;
};

class FakeHttpServer {
 public:
  using Handler = std::function<Reply(const Call&)>;

  explicit FakeHttpServer(Handler handler);
  ~FakeHttpServer();
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& path = "") const;
  int connections() const { return connections_; }
  // From now on nobody listens: connections are refused, as after a crash.
  void stop();
  bool stopping() const { return stopping_; }
  // While it lives the handler is not called: to look at, or change, what the handler does. Needed
  // where a client has left without its answer; one that has it knows that the handler is done.
  std::unique_lock<std::mutex> between_calls() { return std::unique_lock(mutex_); }

 private:
  void listen_loop();
  void serve(int fd);
  void send_reply(int fd, const Reply& reply);

  const Handler handler_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;  // the handler, and the list
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

// The files of a multipart/form-data body, and its plain fields, by field name.
struct FormField {
  std::string file_name;
  std::string value;
};
std::map<std::string, FormField> read_form(const Call& call);

}  // namespace pytoon::support
