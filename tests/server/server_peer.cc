#include "tests/server/server_peer.h"

#include <variant>

#include "mcp_session/base/check.h"

namespace mcp_session {

ServerPeer::ServerPeer(ServerOptions options, MemoryStoreOptions store)
    : memory_(store, entropy_),
      store_(memory_),
      server_(std::make_unique<McpServer>(std::move(options), store_, entropy_)) {
  server_->KeepStreams();
  server_->OnWake([this] { ++wakes_; });
}

std::uint64_t ServerPeer::Request(std::string_view method, std::string_view body,
                                  const Headers& headers, std::string_view principal) {
  HttpRequest request(method, body);
  for (const auto& [name, value] : headers) request.AddHeader(name, value);
  const ExchangeId exchange{++last_exchange_};
  Tell(event::HttpRequested{exchange, request, principal});
  return exchange.number;
}

std::uint64_t ServerPeer::Post(std::string_view body, const Headers& headers,
                               std::string_view principal) {
  Headers all = {{"accept", "application/json, text/event-stream"},
                 {"content-type", "application/json"}};
  all.insert(all.end(), headers.begin(), headers.end());
  return Request("POST", body, all, principal);
}

std::uint64_t ServerPeer::Get(const Headers& headers, std::string_view principal) {
  Headers all = {{"accept", "text/event-stream"}};
  all.insert(all.end(), headers.begin(), headers.end());
  return Request("GET", {}, all, principal);
}

std::uint64_t ServerPeer::Delete(const Headers& headers, std::string_view principal) {
  return Request("DELETE", {}, headers, principal);
}

void ServerPeer::Leave(std::uint64_t exchange) { Tell(event::ExchangeClosed{{exchange}}); }

ServerPeer::Headers ServerPeer::OpenSession(std::string_view principal) {
  const Received& opened = Of(Post(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{},"clientInfo":{"name":"c","version":"1"}}})",
      {}, principal));
  MCPS_CHECK(opened.status == 200);
  return {{"mcp-session-id", opened.headers.find("mcp-session-id")->second}};
}

std::uint64_t ServerPeer::Call(const Headers& session, int id, std::string_view tool,
                               std::string_view arguments, std::string_view principal) {
  std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(id);
  body += R"(,"method":"tools/call","params":{"name":")" + std::string(tool);
  body += R"(","arguments":)" + std::string(arguments) + R"(,"_meta":{"progressToken":"t"}}})";
  return Post(body, session, principal);
}

std::uint64_t ServerPeer::CallStateless(int id, std::string_view tool, std::string_view arguments,
                                        std::string_view principal) {
  std::string body = R"({"jsonrpc":"2.0","id":)" + std::to_string(id);
  body += R"(,"method":"tools/call","params":{"name":")" + std::string(tool);
  body += R"(","arguments":)" + std::string(arguments);
  body += R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":{},"progressToken":"t"}}})";
  return Post(body,
              {{"mcp-protocol-version", "2026-07-28"},
               {"mcp-method", "tools/call"},
               {"mcp-name", std::string(tool)}},
              principal);
}

std::string ServerPeer::Ask(const Headers& session, std::string_view method,
                            std::string_view params, std::string_view principal) {
  std::string body = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method);
  body += R"(","params":{)" + std::string(params) + "}}";
  return Of(Post(body, session, principal)).body;
}

std::string ServerPeer::AskStateless(std::string_view method, std::string_view params,
                                     std::string_view name, std::string_view meta) {
  std::string body = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method);
  body += R"(","params":{)" + std::string(params) + (params.empty() ? "" : ",");
  body += R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":{})";
  body += std::string(meta) + "}}}";
  Headers headers = {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", std::string(method)}};
  if (!name.empty()) headers.emplace_back("mcp-name", std::string(name));
  return Of(Post(body, headers)).body;
}

void ServerPeer::Open(std::uint64_t channel, std::string_view principal) {
  Tell(event::ChannelOpened{{channel}, principal});
}

void ServerPeer::Send(std::uint64_t channel, std::string_view text) {
  Tell(event::MessageArrived{{channel}, text});
}

void ServerPeer::Close(std::uint64_t channel) { Tell(event::ChannelClosed{{channel}}); }

void ServerPeer::Wake() { Tell(event::Woken{}); }

void ServerPeer::Stop() { Tell(event::Stopping{}); }

const Received& ServerPeer::Of(std::uint64_t exchange_or_channel) {
  return received_[exchange_or_channel];
}

void ServerPeer::Tell(const Event& event) {
  Effects effects;
  server_->Handle(event, clock_.Now(), &effects);
  for (const Effect& effect : effects) Take(effect);
}

void ServerPeer::Take(const Effect& effect) {
  const auto begin = [&](ExchangeId exchange, int status, const ResponseHeaders& headers) {
    Received& received = received_[exchange.number];
    MCPS_CHECK(received.status == 0);  // an exchange has one response
    received.status = status;
    for (const auto& [name, value] : headers) received.headers[std::string(name)] = value;
    return &received;
  };
  if (const auto* send = std::get_if<effect::Send>(&effect)) {
    received_[send->channel.number].messages.push_back(send->text);
  } else if (const auto* respond = std::get_if<effect::HttpRespond>(&effect)) {
    Received* received = begin(respond->exchange, respond->status, respond->headers);
    received->body = respond->body;
    received->ended = true;
  } else if (const auto* stream = std::get_if<effect::HttpStream>(&effect)) {
    begin(stream->exchange, stream->status, stream->headers)->stream = true;
  } else if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) {
    Received& received = received_[chunk->exchange.number];
    MCPS_CHECK(received.stream && !received.ended);
    received.body += chunk->bytes;
  } else if (const auto* end = std::get_if<effect::HttpEnd>(&effect)) {
    Received& received = received_[end->exchange.number];
    MCPS_CHECK(received.stream && !received.ended);
    received.ended = true;
  }
}

}  // namespace mcp_session
