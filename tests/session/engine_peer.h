// A server's engine in a test, its store, and the clients that talk to it. Several peers on one
// store are several nodes.
#ifndef TESTS_SESSION_ENGINE_PEER_H_
#define TESTS_SESSION_ENGINE_PEER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/session/server_engine.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"
#include "tests/support/divided_store.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

class EnginePeer {
 public:
  // What an exchange was answered.
  struct Response {
    int status = 0;  // 0: nothing yet
    std::map<std::string, std::string> headers;
    std::string body;  // of a stream, all chunks
    bool stream = false;
    bool ended = false;
  };

  explicit EnginePeer(ServerOptions options = {})
      : world_(std::make_shared<World>()),
        part_(world_->store),
        engine_(std::move(options), store_, world_->entropy) {
    engine_.KeepStreams();
  }
  // Another node on the store of `node`, at the same time.
  EnginePeer(EnginePeer& node, ServerOptions options)
      : world_(node.world_),
        part_(world_->store),
        engine_(std::move(options), store_, world_->entropy) {
    engine_.KeepStreams();
  }

  ServerEngine& engine() { return engine_; }
  DelayingStore& store() { return store_; }
  ManualClock& clock() { return world_->clock; }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  std::uint64_t Http(std::string_view method, std::string_view body, const Headers& headers,
                     std::string_view principal = {}) {
    HttpRequest request(method, body);
    request.AddHeader("accept", "application/json, text/event-stream");
    if (!body.empty()) request.AddHeader("content-type", "application/json");
    for (const auto& [name, value] : headers) request.AddHeader(name, value);
    Tell(event::HttpRequested{ExchangeId{++last_exchange_}, request, principal});
    return last_exchange_;
  }
  std::uint64_t Post(const std::string& session, std::string_view body,
                     std::string_view principal = {}) {
    return Http("POST", body, {{"mcp-session-id", session}}, principal);
  }
  int StatusOfPost(const std::string& session, std::string_view body,
                   std::string_view principal = {}) {
    return responses_[Post(session, body, principal)].status;
  }

  static std::string InitializeText(std::string_view revision) {
    return R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
           std::string(revision) +
           R"(","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})";
  }
  std::string OpenSession(std::string_view principal = {},
                          std::string_view revision = "2025-11-25") {
    return responses_[Http("POST", InitializeText(revision), {}, principal)]
        .headers["mcp-session-id"];
  }

  // Starts a call with this id (JSON text); the answer is its exchange, and `call` its name here.
  std::uint64_t Call(const std::string& session, std::string_view id, CallId* call,
                     std::string_view principal = {}) {
    const std::uint64_t exchange =
        Post(session,
             R"({"jsonrpc":"2.0","id":)" + std::string(id) +
                 R"(,"method":"go","params":{"_meta":{"progressToken":"t"}}})",
             principal);
    *call = started_.back();
    return exchange;
  }

  void Tell(const Event& event) {
    Effects effects;
    std::vector<EngineNews> news;
    if (store_.NextDeadline() <= clock().Now()) store_.Tick(clock().Now());
    engine_.Handle(event, clock().Now(), &effects, &news);
    Settle(&effects, &news);
  }
  void Wake() { Tell(event::Woken{}); }
  void Pass(Millis time) {
    clock().Advance(time);
    Wake();
  }

  // Effects of what the test itself asked of the engine.
  void Take(Effects effects) {
    for (Effect& effect : effects) Take(std::move(effect));
    Wake();
  }

  Response& Of(std::uint64_t exchange) { return responses_[exchange]; }

  std::vector<CallId> started_;
  std::string last_session_;  // of a call
  std::vector<CallId> cancelled_;
  std::vector<ClientAnswered> answered_;
  std::vector<std::string> sent_;  // on channels

 private:
  void Settle(Effects* effects, std::vector<EngineNews>* news) {
    std::vector<StoreReply> replies;
    for (store_.Drain(&replies); !replies.empty(); store_.Drain(&replies)) {
      for (StoreReply& reply : replies) {
        engine_.HandleReply(std::move(reply), clock().Now(), effects, news);
      }
      replies.clear();
    }
    for (EngineNews& item : *news) {
      if (const auto* started = std::get_if<CallStarted>(&item)) {
        started_.push_back(started->call.id);
        last_session_ = started->call.session;
      } else if (const auto* cancelled = std::get_if<CallCancelled>(&item)) {
        cancelled_.push_back(cancelled->id);
      } else if (auto* answered = std::get_if<ClientAnswered>(&item)) {
        answered_.push_back(std::move(*answered));
      }
    }
    for (Effect& effect : *effects) Take(std::move(effect));
  }

  void Take(Effect effect) {
    if (const auto* send = std::get_if<effect::Send>(&effect)) {
      sent_.push_back(send->text);
    } else if (const auto* respond = std::get_if<effect::HttpRespond>(&effect)) {
      Begin(respond->exchange, respond->status, respond->headers);
      responses_[respond->exchange.number].body = respond->body;
      responses_[respond->exchange.number].ended = true;
    } else if (const auto* stream = std::get_if<effect::HttpStream>(&effect)) {
      Begin(stream->exchange, stream->status, stream->headers);
      responses_[stream->exchange.number].stream = true;
    } else if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) {
      responses_[chunk->exchange.number].body += chunk->bytes;
    } else if (const auto* end = std::get_if<effect::HttpEnd>(&effect)) {
      responses_[end->exchange.number].ended = true;
    }
  }

  void Begin(ExchangeId exchange, int status, const ResponseHeaders& headers) {
    Response& response = responses_[exchange.number];
    MCPS_CHECK(response.status == 0);  // an exchange has one response
    response.status = status;
    for (const auto& [name, value] : headers) response.headers[std::string(name)] = value;
  }

  // What all nodes have in common.
  struct World {
    ManualClock clock;
    CountingEntropy entropy;
    DividedStore store{entropy};
  };

  std::shared_ptr<World> world_;
  DividedStore::Part part_;
  DelayingStore store_{part_};
  ServerEngine engine_;
  std::uint64_t last_exchange_ = 0;
  std::map<std::uint64_t, Response> responses_;
};

}  // namespace mcp_session

#endif  // TESTS_SESSION_ENGINE_PEER_H_
