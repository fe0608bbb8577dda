// floor_server: the least that a server of these messages costs with Boost.Beast and nlohmann/json.
// It parses each request, finds its session in a map, and writes the answer; it checks nothing.
// Prints its port.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "nlohmann/json.hpp"

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;
using nlohmann::json;

struct Session {
  std::uint64_t calls = 0;
  std::string last;
};
std::unordered_map<std::string, Session> sessions;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

json ResultOf(const json& message) {
  if (message["method"] == "initialize") {
    return {{"protocolVersion", message["params"]["protocolVersion"]},
            {"capabilities", {{"tools", json::object()}}},
            {"serverInfo", {{"name", "floor"}, {"version", "1"}}}};
  }
  return {{"content", {{{"type", "text"}, {"text", message["params"]["arguments"]["message"]}}}}};
}

void Answer(const Request& request, Response& response) {
  const std::string id(request["Mcp-Session-Id"]);
  if (request.method() == http::verb::delete_) {
    sessions.erase(id);
    return;
  }
  const json message = json::parse(request.body());
  if (message["method"] == "initialize") {
    static std::uint64_t last = 1'000'000'000;
    const std::string made = "session-" + std::to_string(++last);
    sessions[made];
    response.set("Mcp-Session-Id", made);
  } else if (!id.empty()) {
    const auto found = sessions.find(id);
    if (found == sessions.end()) {
      response.result(http::status::not_found);
      return;
    }
    ++found->second.calls;
  }
  if (!message.contains("id")) {
    response.result(http::status::accepted);
    return;
  }
  response.set(http::field::content_type, "application/json");
  response.body() =
      json{{"jsonrpc", "2.0"}, {"id", message["id"]}, {"result", ResultOf(message)}}.dump();
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket) : stream_(std::move(socket)) {
    stream_.socket().set_option(tcp::no_delay(true));
  }

  void Read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->Write();
                     });
  }

 private:
  void Write() {
    response_ = {http::status::ok, 11};
    response_.keep_alive(request_.keep_alive());
    Answer(request_, response_);
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->Read();
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  Request request_;
  Response response_;
};

class Listener {
 public:
  Listener() : acceptor_(loop_, {boost::asio::ip::address_v4::loopback(), 0}) { Accept(); }

  void Run() {
    std::printf("%d\n", acceptor_.local_endpoint().port());
    std::fflush(stdout);
    loop_.run();
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Connection>(std::move(socket))->Read();
      Accept();
    });
  }

  boost::asio::io_context loop_{1};
  tcp::acceptor acceptor_;
};

}  // namespace

int main() {
  Listener().Run();
  return 0;
}
