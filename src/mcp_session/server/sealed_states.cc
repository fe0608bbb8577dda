#include "mcp_session/server/sealed_states.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

constexpr std::string_view kRequestState = "requestState";

// Base64, and what the sealer adds.
constexpr std::size_t MaxTokenBytes(const Limits& limits) {
  return limits.max_request_state_bytes / 3 * 4 + 1024;
}

// With the members of objects in one order: a client that repeats a call may write them in another.
Json Sorted(const Json& value) {
  if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
    Json sorted = EmptyArray();
    for (const Json& element : *elements) sorted.push_back(Sorted(element));
    return sorted;
  }
  const auto* members = value.get_ptr<const Json::object_t*>();
  if (members == nullptr) return value;
  std::vector<const Json::object_t::value_type*> order;
  for (const auto& member : *members) order.push_back(&member);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  Json sorted = EmptyObject();
  auto& into = *sorted.get_ptr<Json::object_t*>();
  for (const auto* member : order) into.emplace_back(member->first, Sorted(member->second));
  return sorted;
}

void AppendPart(std::string_view part, std::string* out) {
  for (std::uint64_t size = part.size(), at = 0; at < 8; ++at, size >>= 8) {
    out->push_back(static_cast<char>(size & 0xFF));
  }
  *out += part;
}

// Who calls what with what.
std::string BindingOf(const Call& call, const Json& arguments) {
  std::string binding;
  AppendPart(call.principal, &binding);
  AppendPart(call.method, &binding);
  AppendPart(StringOrEmpty(call.params, call.method == "resources/read" ? "uri" : "name"),
             &binding);
  std::string text;
  const bool valid = AppendJson(Sorted(arguments), &text);
  MCPS_CHECK(valid);  // it was read from JSON
  AppendPart(text, &binding);
  return binding;
}

}  // namespace

std::optional<std::string> SealedStates::Seal(const Json& state, const Call& call,
                                              const Json& arguments) {
  std::string text;
  if (!AppendJson(state, &text)) return std::nullopt;
  if (text.size() > server_.engine.options().limits.max_request_state_bytes) return std::nullopt;
  if (!ParseJson(text)) return std::nullopt;  // nor could it be when it comes back
  return sealer_.Seal(text, BindingOf(call, arguments));
}

bool SealedStates::HandleCall(Call& call) {
  if (call.era() != Era::kStateless) return false;
  if (call.method != "tools/call" && call.method != "prompts/get" &&
      call.method != "resources/read") {
    return false;
  }
  Json* state = Find(call.params, kRequestState);
  if (state == nullptr) return false;
  const std::string* token = AsString(*state);
  const Json* arguments = Find(call.params, "arguments");
  const bool has_arguments = arguments != nullptr && !arguments->is_null();
  std::optional<std::string> text;
  if (token != nullptr && token->size() <= MaxTokenBytes(server_.engine.options().limits)) {
    text = sealer_.Open(*token, BindingOf(call, has_arguments ? *arguments : EmptyObject()));
  }
  Result<Json> opened;
  if (text) opened = ParseJson(*text);
  if (!text || !opened || !opened->is_object()) {
    server_.engine.Fail(call.id, ErrorCode::kInvalidParams, "requestState cannot be used",
                        server_.effects);
    return true;
  }
  *state = std::move(*opened);
  return false;
}

void SealedStates::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

void McpServer::SealStatesWith(StateSealer& sealer) {
  MCPS_CHECK(state_->Find<SealedStates>() == nullptr);
  state_->AddFirst(std::make_unique<SealedStates>(*state_, sealer));
}

}  // namespace mcp_session
