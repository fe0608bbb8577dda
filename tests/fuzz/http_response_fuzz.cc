// A server that answers anything over HTTP: the client's link tells the head once, then bytes, and
// one end; and it makes another connection for the next request.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "mcp_session/base/check.h"
#include "mcp_session/http_client/http_link.h"

using namespace mcp_session;

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class Wire {
 public:
  Wire() : acceptor_(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    auto link = MakeHttpLink(
        loop_,
        {.url = "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/mcp",
         .max_header_bytes = 1024});
    MCPS_CHECK(link);
    link_ = std::move(*link);
    link_->OnEvent([this](const ClientEvent& event) { Hear(event); });
  }

  void Answer(const std::string& bytes) {
    heads_ = 0;
    ends_ = 0;
    tcp::socket server(loop_);
    acceptor_.async_accept(server, [&](error_code error) {
      if (error) return;
      asio::async_write(server, asio::buffer(bytes), [&](error_code, std::size_t) {
        error_code ignored;  // the client may have gone
        server.shutdown(tcp::socket::shutdown_send, ignored);
      });
    });
    ClientEffect send = client_effect::HttpSend{ExchangeId{++last_}, "GET", {}, {}};
    link_->Do(send);
    loop_.restart();
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (ends_ == 0) {
      MCPS_CHECK(std::chrono::steady_clock::now() < late);
      loop_.run_one_for(std::chrono::seconds(1));
    }
    error_code ignored;  // it is over
    server.close(ignored);
    loop_.poll();
    MCPS_CHECK(ends_ == 1);
  }

 private:
  void Hear(const ClientEvent& event) {
    MCPS_CHECK(ends_ == 0);
    if (const auto* head = std::get_if<client_event::ResponseStarted>(&event)) {
      MCPS_CHECK(++heads_ == 1 && head->status >= 200);
    } else if (std::holds_alternative<client_event::ResponseBytes>(event)) {
      MCPS_CHECK(heads_ == 1);
    } else if (const auto* failed = std::get_if<client_event::ExchangeFailed>(&event)) {
      MCPS_CHECK(!failed->reason.empty());
      ++ends_;
    } else {
      MCPS_CHECK(heads_ == 1);
      ++ends_;
    }
  }

  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  std::unique_ptr<ClientLink> link_;
  std::uint64_t last_ = 0;
  int heads_ = 0;
  int ends_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Wire wire;
  wire.Answer(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
