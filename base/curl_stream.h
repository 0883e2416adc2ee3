// A connection that libcurl made (its name, its address, its TLS) as a stream for Boost.Asio and
// Boost.Beast. Used by WebSocket only: whoever needs an answer to a request takes HttpClient.
//
// Thread rule: that of its io_context. The easy handle must be connected with CURLOPT_CONNECT_ONLY,
// stay attached to its multi handle, and outlive the stream.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <utility>

#include "base/curl_policy.h"

namespace pytoon {

class CurlStream {
 public:
  using executor_type = boost::asio::io_context::executor_type;
  using Error = boost::system::error_code;
  using Signature = void(Error, std::size_t);

  CurlStream(boost::asio::io_context& io, CURL* easy, curl_socket_t socket)
      : easy_(easy), socket_(io, socket) {}
  ~CurlStream() { leave(); }
  CurlStream(const CurlStream&) = delete;
  CurlStream& operator=(const CurlStream&) = delete;

  executor_type get_executor() noexcept { return socket_.get_executor(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto receive = [this, buffer = first_of<boost::asio::mutable_buffer>(buffers)] {
      std::size_t bytes = 0;
      const CURLcode code = curl_easy_recv(easy_, buffer.data(), buffer.size(), &bytes);
      // Nothing at all is the end of the stream.
      const bool end = code == CURLE_OK && bytes == 0 && buffer.size() > 0;
      return std::pair(end ? CURLE_GOT_NOTHING : code, bytes);
    };
    return transfer(Wait::wait_read, receive, std::forward<Token>(token));
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto send = [this, buffer = first_of<boost::asio::const_buffer>(buffers)] {
      std::size_t bytes = 0;
      const CURLcode code = curl_easy_send(easy_, buffer.data(), buffer.size(), &bytes);
      return std::pair(code, bytes);
    };
    return transfer(Wait::wait_write, send, std::forward<Token>(token));
  }

  // Waits for nothing any more; libcurl closes the connection.
  void leave() {
    if (socket_.is_open()) socket_.release();
  }

 private:
  using Socket = boost::asio::posix::basic_stream_descriptor<executor_type>;
  using Wait = boost::asio::posix::descriptor_base;

  template <typename Buffer, typename Buffers>
  static Buffer first_of(const Buffers& buffers) {
    const auto begin = boost::asio::buffer_sequence_begin(buffers);
    const auto end = boost::asio::buffer_sequence_end(buffers);
    const auto found =
        std::find_if(begin, end, [](const auto& part) { return Buffer(part).size() > 0; });
    return found == end ? Buffer() : Buffer(*found);
  }

  // `move` is tried until the socket has something for it. Never before this returns: whoever waits
  // is called from the io_context only.
  template <typename Move, typename Token>
  auto transfer(Wait::wait_type what, Move move, Token&& token) {
    return boost::asio::async_compose<Token, Signature>(
        [this, what, move, begun = false](auto& self, Error error = {}) mutable {
          if (!std::exchange(begun, true)) {
            return boost::asio::post(socket_.get_executor(), std::move(self));
          }
          if (error) return self.complete(error, 0);
          const auto [code, bytes] = move();
          if (code == CURLE_AGAIN) return socket_.async_wait(what, std::move(self));
          if (code == CURLE_GOT_NOTHING) error = boost::asio::error::eof;
          if (code != CURLE_OK && !error) error = boost::asio::error::connection_reset;
          self.complete(error, bytes);
        },
        token, socket_);
  }

  CURL* const easy_;
  Socket socket_;
};

// How Boost.Beast ends a stream of ours, found by argument.
inline void beast_close_socket(CurlStream& stream) { stream.leave(); }
inline void teardown(boost::beast::role_type /*role*/, CurlStream& stream,
                     boost::system::error_code& error) {
  stream.leave();
  error = {};
}
template <typename Handler>
void async_teardown(boost::beast::role_type /*role*/, CurlStream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(),
                    [done = std::forward<Handler>(handler)]() mutable { done({}); });
}

}  // namespace pytoon
