#include "mcp_session/server/logging.h"

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {
namespace {

// What a stateless request says of itself; null if it wants no messages (P-07).
const Json* WantedLevel(const Call& call) {
  const Json* meta = FindObject(call.params, "_meta");
  return meta != nullptr ? Find(*meta, kMetaLogLevel) : nullptr;
}

std::optional<LogLevel> ReadLevel(const Json* value) {
  const std::string* text = value != nullptr ? AsString(*value) : nullptr;
  return text != nullptr ? ParseLogLevel(*text) : std::nullopt;
}

}  // namespace

struct Logging::Wish : HandlerCall::State {
  using HandlerCall::State::State;
  LogLevel level{};
};

void McpServer::ServeLogging(LogLevel until_set) {
  MCPS_CHECK(state_->Find<Logging>() == nullptr);
  state_->AddFirst(std::make_unique<Logging>(*state_, until_set));
  state_->engine.AddCapability("\"logging\":{}");
}

void HandlerCall::Log(LogLevel level, std::string_view logger, const Json& data) {
  if (!state_->running || state_->cancelled) return;
  if (const auto server = state_->server.lock()) server->Logged(state_->call, level, logger, data);
}

void McpServer::State::Logged(const Call& call, LogLevel level, std::string_view logger,
                              const Json& data) {
  const auto* logging = Find<Logging>();
  if (logging == nullptr) return;
  const auto least = logging->LeastFor(call);
  if (!least || level < *least) return;
  std::string params = "{\"level\":\"";
  params += LogLevelName(level);
  params += "\",\"data\":";
  bool valid = AppendJson(data, &params);
  if (!logger.empty()) {
    params += ",\"logger\":";
    valid = AppendJsonString(logger, &params) && valid;
  }
  params += '}';
  if (!valid) return;
  engine.Notify(call.id, "notifications/message", params, Out());
  Wake();
}

std::optional<LogLevel> Logging::LeastFor(const Call& call) const {
  if (call.era() == Era::kStateless) return ReadLevel(WantedLevel(call));
  return call.log_level != LogLevel::kNotSet ? call.log_level : until_set_;
}

bool Logging::HandleCall(Call& call) {
  const auto refuse = [&] {
    server_.engine.Fail(call.id, ErrorCode::kInvalidParams, "unknown log level", server_.effects);
    return true;
  };
  if (call.era() == Era::kStateless) {  // which has no logging/setLevel
    const Json* wanted = WantedLevel(call);
    return wanted != nullptr && !ReadLevel(wanted) && refuse();
  }
  if (call.method != "logging/setLevel") return false;
  const auto level = ReadLevel(Find(call.params, "level"));
  if (!level) return refuse();  // P-06
  SetLevel(std::move(call), *level);
  return true;
}

void Logging::SetLevel(Call call, LogLevel level) {
  if (server_.engine.SetChannelLogLevel(call.id, level)) {
    return server_.engine.Answer(call.id, {}, {}, server_.effects);
  }
  const auto wish = std::make_shared<Wish>(server_.weak_from_this(), *this, std::move(call));
  wish->level = level;
  ChangeSession(wish);
}

Result<std::optional<std::string>> Logging::Changed(const Running& call,
                                                    std::string_view data) const {
  return WithLogLevel(data, static_cast<const Wish&>(*call).level);
}

void Logging::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

}  // namespace mcp_session
