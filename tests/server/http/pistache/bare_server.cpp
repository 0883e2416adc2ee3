// Pistache as its examples use it: router, parser, response writers and time-outs of the library,
// no code of ours before or behind it. pistache_test.cpp attacks it; docs/adr/0012 draws the
// conclusion.
//
//   bare_server PORT HEADER_TIMEOUT_MS [sigpipe] [no_parser]
//
// sigpipe leaves SIGPIPE as the system has it, no_parser takes connections without the parser that
// the library expects in each. On SIGTERM it calls shutdown() and goes on for a while.
#include <pistache/endpoint.h>
#include <pistache/router.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace {

using Pistache::Http::Code;
using Pistache::Http::ResponseWriter;
using Pistache::Rest::Request;
using Pistache::Rest::Route;
using std::chrono::milliseconds;

constexpr std::size_t kRequestBytesMax = 8 << 20;
constexpr std::size_t kBigReplyBytes = 16 << 20;
constexpr milliseconds kSlowReply{1500};
constexpr milliseconds kAfterShutdown{3000};
const std::string kBigText(kBigReplyBytes, 'x');

void later(milliseconds delay, ResponseWriter response) {
  std::thread([delay, writer = std::make_shared<ResponseWriter>(std::move(response))] {
    pytoon::SystemClock().sleep_for(delay);
    writer->send(Code::Ok, "late");
  }).detach();
}

void add_routes(Pistache::Rest::Router& router, const std::string& file) {
  const auto get = [&router](const std::string& path, auto answer) {
    router.get(path, [answer](const Request& request, ResponseWriter response) {
      answer(request, std::move(response));
      return Route::Result::Ok;
    });
  };
  get("/small", [](const Request&, ResponseWriter response) { response.send(Code::Ok, "small"); });
  get("/big", [](const Request&, ResponseWriter response) { response.send(Code::Ok, kBigText); });
  get("/file", [file](const Request&, ResponseWriter response) {
    Pistache::Http::serveFile(response, file);
  });
  get("/late",
      [](const Request&, ResponseWriter response) { later(kSlowReply, std::move(response)); });
  get("/timeout", [](const Request&, ResponseWriter response) {
    response.timeoutAfter(kSlowReply * 10);
    later(milliseconds(50), std::move(response));
  });
  get("/stream", [](const Request&, ResponseWriter response) {
    std::thread([writer = std::make_shared<ResponseWriter>(std::move(response))] {
      auto stream = writer->stream(Code::Ok);
      for (int i = 0; i < 2000; ++i) {
        stream << "data: an event\n\n" << Pistache::Http::flush;
      }
      stream.ends();
    }).detach();
  });
  router.post("/length", [](const Request& request, ResponseWriter response) {
    response.send(Code::Ok, std::to_string(request.body().size()));
    return Route::Result::Ok;
  });
}

// Takes connections, but puts no parser into them.
class WithoutParser final : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(WithoutParser)
  void onConnection(const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
  void onInput(const char*, std::size_t, const std::shared_ptr<Pistache::Tcp::Peer>&) override {}
  void onRequest(const Pistache::Http::Request&, ResponseWriter) override {}
};

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words, words + count);
  const auto given = [&](const char* word) {
    return std::find(arguments.begin(), arguments.end(), word) != arguments.end();
  };
  if (!given("sigpipe")) std::signal(SIGPIPE, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  const std::string file =
      std::filesystem::temp_directory_path() / ("pytoon_bare_server_" + arguments.at(1));
  std::ofstream(file) << kBigText;
  Pistache::Rest::Router router;
  add_routes(router, file);
  Pistache::Http::Endpoint endpoint(Pistache::Address(
      "127.0.0.1", Pistache::Port(static_cast<std::uint16_t>(std::stoi(arguments.at(1))))));
  endpoint.init(Pistache::Http::Endpoint::options()
                    .threads(1)
                    .flags(Pistache::Tcp::Options::ReuseAddr)
                    .maxRequestSize(kRequestBytesMax)
                    .headerTimeout(milliseconds(std::stoi(arguments.at(2)))));
  if (given("no_parser")) {
    endpoint.setHandler(std::make_shared<WithoutParser>());
  } else {
    endpoint.setHandler(router.handler());
  }
  endpoint.serveThreaded();
  int signal = 0;
  sigwait(&stop, &signal);
  endpoint.shutdown();
  pytoon::SystemClock().sleep_for(kAfterShutdown);
  std::filesystem::remove(file);
  std::_Exit(0);
}
