#include "mcp_session/http_client/sse_link.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/limits.h"
#include "mcp_session/http_client/url.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/protocol/sse.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxQueuedBytes = 16u << 20;

bool IsEventStream(std::string_view content_type) {
  return EqualIgnoringCase(content_type.substr(0, content_type.find_first_of("; ")),
                           "text/event-stream");
}

// One stream, from its GET to its end. Messages are posted one after the other, for the server
// would see them in any order else.
class SseChannel : public std::enable_shared_from_this<SseChannel> {
 public:
  SseChannel(asio::io_context& loop, HttpLinkOptions options,
             std::function<void(ClientEvent event)> tell)
      : loop_(loop),
        options_(std::move(options)),
        tell_(std::move(tell)),
        timer_(loop),
        events_(Limits().max_sse_event_bytes) {}

  Result<void> Begin() {
    MCPS_TRY(stream_, MakeHttpLink(loop_, options_));
    stream_->OnEvent([weak = weak_from_this()](const ClientEvent& event) {
      if (const auto self = weak.lock())
        std::visit([&](const auto& e) { self->OnStream(e); }, event);
    });
    ClientEffect get =
        client_effect::HttpSend{ExchangeId{1},
                                "GET",
                                {{std::string(HeaderName(Header::kAccept)), "text/event-stream"}},
                                {}};
    stream_->Do(get);
    WaitForServer("the server named no endpoint in time");
    return {};
  }

  void Send(std::string text) {
    if (tell_ == nullptr) return;
    queued_bytes_ += text.size();
    if (queued_bytes_ > kMaxQueuedBytes) return End("the server takes no messages");
    queued_.push_back(std::move(text));
    Post();
  }

  // Nothing is told any more.
  void Stop() {
    tell_ = nullptr;
    timer_.cancel();
    stream_.reset();
    posts_.reset();
  }

  const std::string& why() const { return why_; }

 private:
  void OnStream(const client_event::ResponseStarted& head) {
    // Not what was looked for, so there is nothing to say about it.
    if (head.status != 200 || !IsEventStream(head.content_type)) End({});
  }

  void OnStream(const client_event::ResponseBytes& body) {
    std::vector<SseEvent> events;
    const bool readable = events_.Read(body.bytes, &events).has_value();
    const auto self = shared_from_this();
    for (const SseEvent& event : events) {
      if (tell_ == nullptr) return;
      if (posts_ == nullptr) {
        FindEndpoint(event);
      } else if (event.type == "message" && !event.data.empty()) {
        tell_(client_event::MessageArrived{event.data});
      }
    }
    if (!readable) End("the server sent an event that is too large");
  }

  void OnStream(const client_event::ResponseEnded&) { End("the stream ended"); }
  void OnStream(const client_event::ExchangeFailed& failed) { End(std::string(failed.reason)); }
  template <typename Event>
  void OnStream(const Event&) {}

  void FindEndpoint(const SseEvent& event) {
    if (event.type != "endpoint") return End("the stream does not begin with an endpoint");
    const auto url = ResolveInOrigin(options_.url, event.data);
    if (!url) return End("the endpoint is no URL of the server's own origin");
    HttpLinkOptions options = options_;
    options.url = *url;
    auto posts = MakeHttpLink(loop_, std::move(options));
    if (!posts) return End(posts.error().message);
    posts_ = std::move(*posts);
    posts_->OnEvent([weak = weak_from_this()](const ClientEvent& answer) {
      if (const auto self = weak.lock())
        std::visit([&](const auto& e) { self->OnPost(e); }, answer);
    });
    timer_.cancel();
    Post();
  }

  void Post() {
    if (posting_ || posts_ == nullptr || queued_.empty()) return;
    posting_ = true;
    queued_bytes_ -= queued_.front().size();
    ClientEffect post = client_effect::HttpSend{
        ExchangeId{++last_post_},
        "POST",
        {{std::string(HeaderName(Header::kContentType)), "application/json"}},
        std::move(queued_.front())};
    queued_.pop_front();
    posts_->Do(post);
    WaitForServer("the server took no message in time");
  }

  void OnPost(const client_event::ResponseStarted& head) {
    if (head.status < 200 || head.status >= 300) End("the server refused a message");
  }
  void OnPost(const client_event::ResponseEnded&) {
    posting_ = false;
    timer_.cancel();
    Post();
  }
  void OnPost(const client_event::ExchangeFailed& failed) { End(std::string(failed.reason)); }
  template <typename Event>
  void OnPost(const Event&) {}

  // For what it takes a connection to be made, and as long as a request may take.
  void WaitForServer(const char* late) {
    timer_.expires_after(
        std::chrono::milliseconds(options_.connect_time.count + options_.write_time.count));
    timer_.async_wait([weak = weak_from_this(), late](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self != nullptr) self->End(late);
    });
  }

  void End(std::string why) {
    const auto tell = std::exchange(tell_, nullptr);
    if (tell == nullptr) return;
    why_ = std::move(why);
    asio::post(loop_, [self = shared_from_this(), tell] {
      self->Stop();
      tell(client_event::ChannelClosed{});
    });
  }

  asio::io_context& loop_;
  const HttpLinkOptions options_;
  std::function<void(ClientEvent event)> tell_;  // null: it is over
  asio::steady_timer timer_;
  SseReader events_;
  std::unique_ptr<ClientLink> stream_;
  std::unique_ptr<ClientLink> posts_;  // null: the endpoint is not known
  std::deque<std::string> queued_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t last_post_ = 0;
  bool posting_ = false;
  std::string why_;
};

class SseLink final : public ClientLink {
 public:
  SseLink(asio::io_context& loop, HttpLinkOptions options)
      : loop_(loop), options_(std::move(options)) {
    options_.eras = nullptr;
  }
  ~SseLink() override {
    if (channel_ != nullptr) channel_->Stop();
  }

  ClientTransport transport() const override { return ClientTransport::kChannel; }
  void OnEvent(std::function<void(ClientEvent event)> tell) override { tell_ = std::move(tell); }

  Result<void> Start() override {
    if (channel_ != nullptr) channel_->Stop();
    channel_ = std::make_shared<SseChannel>(loop_, options_, tell_);
    return channel_->Begin();
  }
  std::string Why() const override { return channel_ == nullptr ? "" : channel_->why(); }

  void Do(ClientEffect& effect) override {
    auto* send = std::get_if<client_effect::Send>(&effect);
    if (send != nullptr && channel_ != nullptr) channel_->Send(std::move(send->text));
  }

  void Stop(std::function<void()> done) override {
    if (channel_ != nullptr) channel_->Stop();
    done();
  }

 private:
  asio::io_context& loop_;
  HttpLinkOptions options_;
  std::function<void(ClientEvent event)> tell_;
  std::shared_ptr<SseChannel> channel_;  // null: none was started
};

}  // namespace

std::unique_ptr<ClientLink> MakeSseLink(asio::io_context& loop, HttpLinkOptions options) {
  return std::make_unique<SseLink>(loop, std::move(options));
}

}  // namespace mcp_session
