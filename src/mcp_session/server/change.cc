#include "mcp_session/server/change.h"

#include <algorithm>

#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

// By Change::Kind.
constexpr std::string_view kLetters = "-TPRUASK";

}  // namespace

void ForEachNews(const std::vector<Change>& changes, Interest interest,
                 const std::vector<std::string>& uris,
                 const std::function<void(std::string_view, std::string_view)>& tell) {
  const auto has = [&](Change::Kind kind, const std::string& uri = {}) {
    return std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
      return change.kind == Change::Kind::kAnything || (change.kind == kind && change.uri == uri);
    });
  };
  if (interest.tools && has(Change::Kind::kTools)) tell("notifications/tools/list_changed", {});
  if (interest.prompts && has(Change::Kind::kPrompts)) {
    tell("notifications/prompts/list_changed", {});
  }
  if (interest.resources && has(Change::Kind::kResources)) {
    tell("notifications/resources/list_changed", {});
  }
  for (const std::string& uri : uris) {
    std::string members = "\"uri\":";
    if (has(Change::Kind::kResource, uri) && AppendJsonString(uri, &members)) {
      tell("notifications/resources/updated", members);
    }
  }
}

bool HasTaskChanged(const std::vector<Change>& changes, std::string_view task) {
  return std::any_of(changes.begin(), changes.end(), [&](const Change& change) {
    return change.kind == Change::Kind::kAnything ||
           (change.kind == Change::Kind::kTask && change.uri == task.substr(0, kTaskChars));
  });
}

std::string EncodeChange(std::string_view node, const Change& change) {
  std::string data(node);
  data += kLetters[static_cast<std::size_t>(change.kind)];
  data += change.uri;
  return data;
}

std::optional<SaidChange> DecodeChange(std::string_view data) {
  if (data.size() <= kNodeChars) return std::nullopt;
  const std::size_t kind = kLetters.find(data[kNodeChars]);
  if (kind == std::string_view::npos) return std::nullopt;
  return SaidChange{data.substr(0, kNodeChars),
                    {static_cast<Change::Kind>(kind), std::string(data.substr(kNodeChars + 1))}};
}

}  // namespace mcp_session
