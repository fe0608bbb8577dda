#include "tests/bench/http/load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{},"clientInfo":{"name":"load","version":"1"}}})";
constexpr std::string_view kInitialized =
    R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
constexpr std::string_view kMeta =
    R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{},)"
    R"("io.modelcontextprotocol/clientInfo":{"name":"load","version":"1"}})";

// Whole responses out of what was read.
class ResponseReader {
 public:
  struct Response {
    int status = 0;
    std::string session;
    std::string_view body;  // until the next Feed or Next
  };

  void Feed(std::string_view bytes) { buffer_ += bytes; }

  // Whether a response is whole.
  bool Next(Response* response) {
    buffer_.erase(0, std::exchange(used_, 0));
    const std::string_view text(buffer_);
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view head = text.substr(0, end + 2);
    response->status = Number(head.substr(std::min<std::size_t>(9, head.size())));
    std::size_t total = end + 4;
    if (const auto length = Field(head, "content-length:"); !length.empty()) {
      total += static_cast<std::size_t>(Number(length));
      if (text.size() < total) return false;
    } else if (!Field(head, "transfer-encoding:").empty()) {
      const std::size_t last = text.find("0\r\n\r\n", end + 4);
      if (last == std::string_view::npos) return false;
      total = last + 5;
    }
    response->session = Field(head, "mcp-session-id:");
    response->body = text.substr(end + 4, total - end - 4);
    used_ = total;
    return true;
  }

 private:
  static int Number(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  // Names of headers come in any case.
  static std::string_view Field(std::string_view head, std::string_view name) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
    const auto found = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
    if (found == head.end()) return {};
    std::string_view rest =
        head.substr(static_cast<std::size_t>(found - head.begin()) + name.size());
    rest = rest.substr(rest.find_first_not_of(' '));
    return rest.substr(0, rest.find('\r'));
  }

  std::string buffer_;
  std::size_t used_ = 0;
};

// Over a socket of its own and by system calls alone: what the load costs, the server cannot have.
class Caller {
 public:
  using Clock = std::chrono::steady_clock;

  Caller(int socket, const Load& load, Clock::time_point end, std::vector<double>* latencies,
         LoadResult* result)
      : socket_(socket), load_(load), end_(end), latencies_(*latencies), result_(*result) {
    if (load_.kind == LoadKind::kStateless) step_ = Step::kCall;
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { close(socket_); }

  int socket() const { return socket_; }
  // It sends nothing more.
  bool over() const { return over_; }

  void Send() {
    if (step_ == Step::kInitialize || load_.kind != LoadKind::kChurn) since_ = Clock::now();
    switch (step_) {
      case Step::kInitialize:
        Post({}, kInitialize);
        break;
      case Step::kInitialized:
        Post(SessionHeaders(), kInitialized);
        break;
      case Step::kCall:
        Call();
        break;
      case Step::kDelete:
        request_ = "DELETE /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n" + SessionHeaders() + "\r\n";
        break;
    }
    const auto size = static_cast<ssize_t>(request_.size());
    if (send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL) != size) Give("write failed");
  }

  // There is something to read.
  void Read() {
    const ssize_t size = recv(socket_, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
    if (size <= 0) return Give("read failed");
    reader_.Feed({bytes_.data(), static_cast<std::size_t>(size)});
    ResponseReader::Response response;
    if (reader_.Next(&response)) Hear(response);
  }

 private:
  enum class Step : std::uint8_t { kInitialize, kInitialized, kCall, kDelete };

  std::string SessionHeaders() const {
    return "Mcp-Session-Id: " + session_ + "\r\nMCP-Protocol-Version: 2025-11-25\r\n";
  }

  void Post(const std::string& headers, std::string_view body) {
    request_ =
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\n";
    request_ += headers;
    request_ += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    request_ += body;
  }

  void Call() {
    ++number_;
    nonce_ = "message " + std::to_string(number_ * 2'654'435'761u) +
             ", long enough to look like one that somebody sends to a tool";
    const bool stateless = load_.kind == LoadKind::kStateless;
    std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(number_) +
                       R"(,"method":"tools/call","params":{"name":")" + load_.tool +
                       R"(","arguments":{"message":")" + nonce_ + "\"}";
    if (stateless) body += kMeta;
    body += "}}";
    Post(stateless ? "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " +
                         load_.tool + "\r\n"
                   : SessionHeaders(),
         body);
  }

  void Hear(const ResponseReader::Response& response) {
    switch (step_) {
      case Step::kInitialize:
        session_ = response.session;
        if (response.status != 200) return Give("initialize was refused");
        step_ = Step::kInitialized;
        return Send();
      case Step::kInitialized:
        if (response.status != 202 && response.status != 200)
          return Give("initialized was refused");
        step_ = Step::kCall;
        return Next(false);
      case Step::kCall:
        if (response.status != 200 || response.body.find(nonce_) == std::string_view::npos ||
            response.body.find("\"id\":" + std::to_string(number_)) == std::string_view::npos) {
          return Give("another answer");
        }
        if (load_.kind == LoadKind::kChurn) {
          step_ = Step::kDelete;
          return Send();
        }
        return Next(true);
      case Step::kDelete:
        if (response.status / 100 != 2) return Give("DELETE was refused");
        step_ = Step::kInitialize;
        return Next(true);
    }
  }

  void Next(bool counts) {
    const Clock::time_point now = Clock::now();
    if (counts) {
      ++result_.done;
      latencies_.push_back(std::chrono::duration<double, std::milli>(now - since_).count());
    }
    over_ = now >= end_;
    if (!over_) Send();
  }

  void Give(const char* why) {
    if (result_.wrong++ == 0) std::fprintf(stderr, "  %s\n", why);
    over_ = true;
  }

  const int socket_;
  const Load& load_;
  const Clock::time_point end_;
  std::vector<double>& latencies_;
  LoadResult& result_;
  bool over_ = false;
  Step step_ = Step::kInitialize;
  std::string session_, request_, nonce_;
  std::uint64_t number_ = 0;
  Clock::time_point since_;
  ResponseReader reader_;
  std::array<char, 16 << 10> bytes_;
};

int Connect(std::uint16_t port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return made;
}

// A request and its answer, one after the other.
class Talker {
 public:
  Talker(asio::io_context& loop, std::uint16_t port) : socket_(loop) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(tcp::no_delay(true));
  }

  // The session's id, or empty.
  std::string Initialize() {
    Write(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nContent-Length: " +
        std::to_string(kInitialize.size()) + "\r\n\r\n" + std::string(kInitialize));
    ResponseReader::Response response;
    while (!reader_.Next(&response)) {
      if (!Read()) return {};
    }
    return response.status == 200 ? response.session : std::string();
  }

  // Whether a stream has begun.
  bool Open(const std::string& session) {
    Write("GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nMcp-Session-Id: " +
          session + "\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n");
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      std::array<char, 4096> bytes;
      boost::system::error_code error;
      const std::size_t size = socket_.read_some(asio::buffer(bytes), error);
      if (error) return false;
      head.append(bytes.data(), size);
    }
    return head.starts_with("HTTP/1.1 200");
  }

 private:
  void Write(const std::string& text) { asio::write(socket_, asio::buffer(text)); }

  bool Read() {
    std::array<char, 4096> bytes;
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(bytes), error);
    if (!error) reader_.Feed({bytes.data(), size});
    return !error;
  }

  tcp::socket socket_;
  ResponseReader reader_;
};

}  // namespace

LoadResult RunLoad(std::uint16_t port, const Load& load) {
  LoadResult result;
  std::vector<double> latencies;
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  const auto start = Caller::Clock::now();
  const auto end = start + std::chrono::milliseconds(load.length.count);
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::size_t i = 0; i < load.callers; ++i) {
    callers.push_back(std::make_unique<Caller>(Connect(port), load, end, &latencies, &result));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = callers.back().get()}};
    epoll_ctl(poll, EPOLL_CTL_ADD, callers.back()->socket(), &event);
    callers.back()->Send();
  }
  std::array<epoll_event, 64> events;
  for (std::size_t left = callers.size(); left > 0;) {
    const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* caller = static_cast<Caller*>(events[static_cast<std::size_t>(i)].data.ptr);
      caller->Read();
      if (!caller->over()) continue;
      epoll_ctl(poll, EPOLL_CTL_DEL, caller->socket(), nullptr);
      --left;
    }
  }
  close(poll);
  result.seconds = std::chrono::duration<double>(Caller::Clock::now() - start).count();
  if (latencies.empty()) return result;
  std::sort(latencies.begin(), latencies.end());
  result.p50_millis = latencies[latencies.size() / 2];
  result.p99_millis = latencies[latencies.size() * 99 / 100];
  return result;
}

std::size_t OpenSessions(std::uint16_t port, std::size_t count) {
  asio::io_context loop(1);
  Talker talker(loop, port);
  std::size_t opened = 0;
  for (std::size_t i = 0; i < count; ++i) opened += talker.Initialize().empty() ? 0 : 1;
  return opened;
}

std::size_t HoldStreams(std::uint16_t port, std::size_t count,
                        const std::function<void()>& measure) {
  asio::io_context loop(1);
  Talker opener(loop, port);
  std::vector<std::unique_ptr<Talker>> talkers;
  std::size_t opened = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string session = opener.Initialize();
    talkers.push_back(std::make_unique<Talker>(loop, port));
    opened += !session.empty() && talkers.back()->Open(session) ? 1 : 0;
  }
  measure();
  return opened;
}

}  // namespace mcp_session
