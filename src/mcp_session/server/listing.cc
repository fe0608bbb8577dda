#include "mcp_session/server/listing.h"

#include <memory>
#include <optional>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/tools.h"

namespace mcp_session {
namespace {

constexpr Millis kListTtl = Seconds(60);

// Of the page that begins with this item. Nobody but us needs to read it.
std::string CursorOf(std::string_view member, std::size_t first) {
  return EncodeBase64(std::string(member) + '/' + std::to_string(first));
}

// Where the page that `cursor` names begins; nullopt unless it is one that we give.
std::optional<std::size_t> FindPage(const Json& cursor, std::string_view member,
                                    std::size_t page_size, std::size_t count) {
  const std::string* text = AsString(cursor);
  if (text == nullptr || page_size == 0) return std::nullopt;
  for (std::size_t first = page_size; first < count; first += page_size) {
    if (*text == CursorOf(member, first)) return first;
  }
  return std::nullopt;
}

}  // namespace

void McpServer::PageLists(std::size_t page_size) {
  MCPS_CHECK(page_size > 0 && state_->Find<ListPages>() == nullptr);
  state_->AddFirst(std::make_unique<ListPages>(*state_, page_size));
}

bool ListPages::HandleCall(Call& call) {
  if (call.method != "tools/list") return false;
  const auto* tools = server_.Find<Tools>();
  if (tools == nullptr) return false;
  AnswerList(server_, call, "tools", tools->listed());
  return true;
}

void ListPages::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

void AddText(std::string_view member, const std::string& text, Json* described) {
  if (!text.empty()) (*described)[std::string(member)] = text;
}

void AddMember(std::string_view member, const Json& value, Json* described) {
  if (!value.is_null()) (*described)[std::string(member)] = value;
}

void AppendCaching(const Call& call, Millis ttl, bool shared, std::string* members) {
  if (call.era() != Era::kStateless) return;
  *members += ",\"ttlMs\":";
  AppendInteger(ttl.count, members);
  *members += shared ? ",\"cacheScope\":\"public\"" : ",\"cacheScope\":\"private\"";
}

void AnswerList(McpServer::State& server, const Call& call, std::string_view member,
                const std::vector<std::string>& listed) {
  const auto* pages = server.Find<ListPages>();
  const std::size_t page_size = pages != nullptr ? pages->size : 0;
  std::size_t first = 0;
  if (const Json* cursor = Find(call.params, "cursor")) {
    const auto page = FindPage(*cursor, member, page_size, listed.size());
    if (!page) {
      return server.engine.Fail(call.id, ErrorCode::kInvalidParams, "unknown cursor",
                                server.effects);
    }
    first = *page;
  }
  std::size_t end = listed.size();
  if (page_size != 0 && end - first > page_size) end = first + page_size;
  std::string members = "\"";
  members += member;
  members += "\":[";
  for (std::size_t i = first; i < end; ++i) {
    if (i != first) members += ',';
    members += listed[i];
  }
  members += ']';
  if (end != listed.size()) members += ",\"nextCursor\":\"" + CursorOf(member, end) + '"';
  AppendCaching(call, kListTtl, true, &members);
  server.engine.Answer(call.id, members, {}, server.effects);
}

}  // namespace mcp_session
