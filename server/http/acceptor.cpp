#include "server/http/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pistache/endpoint.h>
#include <pistache/peer.h>
#include <pistache/transport.h>
#include <sys/socket.h>

#include <chrono>

namespace pytoon::http {
namespace {

constexpr const char* kPeerData = "connection";
// Our own limits are kept by ConnectionTable; the library's would close without telling us.
constexpr std::chrono::hours kNever{24 * 3650};

using PeerPointer = std::shared_ptr<Pistache::Tcp::Peer>;

// One copy per reactor thread, all with the same contents. No exception may leave its calls: the
// library's threads would end the process.
class ByteHandler final : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(ByteHandler)

  ByteHandler(ServerContext& context, ConnectionTable& table, std::shared_ptr<ReactorGate> gate)
      : context_(&context), table_(&table), gate_(std::move(gate)) {}

  void onConnection(const PeerPointer& peer) override {
    contained(peer, [&] {
      // The library's idle timer looks for a parser in every peer.
      peer->putData(ParserData, std::make_shared<Pistache::Http::RequestParser>(1));
      peer->setIdle(true);
      const int on = 1;
      ::setsockopt(peer->fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto connection = std::make_shared<Connection>(peer->fd(), *context_, rearming(*peer));
      peer->putData(kPeerData, connection);
      table_->add(connection);
    });
  }

  void onInput(const char* bytes, std::size_t size, const PeerPointer& peer) override {
    contained(peer, [&] {
      if (const auto connection = connection_of(peer)) connection->receive({bytes, size});
    });
  }

  void onDisconnection(const PeerPointer& peer) override {
    contained(peer, [&] {
      const auto connection = connection_of(peer);
      if (!connection) return;
      connection->closed();
      table_->remove(connection.get());
    });
  }

  // Only the library's own parser would call this, and it gets no input.
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter) override {}

 private:
  // Makes the reactor look at this peer's socket again: EPOLL_CTL_MOD arms the edge anew, and
  // reports what came meanwhile.
  std::function<void()> rearming(const Pistache::Tcp::Peer& peer) {
    using Pistache::Polling::NotifyOn;
    return
        [reactor = transport()->reactor(), key = transport()->key(), fd = peer.fd(), gate = gate_] {
          const std::lock_guard lock(gate->mutex);
          if (!gate->open) return;
          reactor->modifyFd(key, fd, NotifyOn::Read | NotifyOn::Shutdown,
                            Pistache::Polling::Mode::Edge);
        };
  }

  template <typename Step>
  void contained(const PeerPointer& peer, const Step& step) {
    try {
      step();
    } catch (const std::exception& error) {
      ::shutdown(peer->fd(), SHUT_RDWR);
      context_->log.error("http_connection_crash", {{"error", error.what()}});
    }
  }

  static std::shared_ptr<Connection> connection_of(const PeerPointer& peer) {
    return std::static_pointer_cast<Connection>(peer->tryGetData(kPeerData));
  }

  ServerContext* context_;
  ConnectionTable* table_;
  std::shared_ptr<ReactorGate> gate_;
};

}  // namespace

class Acceptor::Reactor {
 public:
  explicit Reactor(const Pistache::Address& address) : endpoint(address) {}
  Pistache::Http::Endpoint endpoint;
};

Acceptor::Acceptor(ServerContext& context, ConnectionTable& table)
    : context_(context), table_(table) {}

Acceptor::~Acceptor() { stop(); }

Status Acceptor::start(const ListenAddress& address, int threads) {
  try {
    const Pistache::Address where(address.host, Pistache::Port(address.port));
    reactor_ = std::make_unique<Reactor>(where);
    reactor_->endpoint.init(
        Pistache::Http::Endpoint::options()
            .threads(threads)
            .threadsName("http")
            .flags(Pistache::Tcp::Options::ReuseAddr | Pistache::Tcp::Options::CloseOnExec)
            .headerTimeout(kNever)
            .bodyTimeout(kNever)
            .keepaliveTimeout(kNever));
    reactor_->endpoint.setHandler(std::make_shared<ByteHandler>(context_, table_, gate_));
    reactor_->endpoint.serveThreaded();
    return ok_status();
  } catch (const std::exception& error) {
    reactor_.reset();
    return failure(FailureKind::kIo, "can't listen on " + address.host + ":" +
                                         std::to_string(address.port) + ": " + error.what());
  }
}

std::uint16_t Acceptor::port() const {
  return reactor_ ? static_cast<std::uint16_t>(reactor_->endpoint.getPort()) : std::uint16_t{0};
}

void Acceptor::stop() {
  if (!reactor_) return;
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->open = false;
  }
  reactor_->endpoint.shutdown();
  reactor_.reset();
}

}  // namespace pytoon::http
