#include "mcp_session/client/saved_session.h"

#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"

namespace mcp_session {

std::string EncodeSavedSession(const client_effect::Opened& session) {
  Json saved = EmptyObject();
  saved["form"] = 1;
  saved["revision"] = std::string(RevisionName(session.revision));
  if (!session.session_id.empty()) saved["sessionId"] = session.session_id;
  saved["server"] = session.server;
  std::string text;
  if (!AppendJson(saved, &text)) return {};
  return text;
}

Result<client_effect::Opened> DecodeSavedSession(std::string_view text) {
  auto saved = ParseJson(text);
  const auto form = saved ? FindInteger(*saved, "form") : std::nullopt;
  const std::string* name = saved ? FindString(*saved, "revision") : nullptr;
  const auto revision = name ? ParseRevision(*name) : std::nullopt;
  if (form != 1 || !revision) {
    return Failure(ErrorCode::kCorrupt, Blame::kEnvironment, "the saved session cannot be read");
  }
  return client_effect::Opened{EraOf(*revision), *revision, StringOrEmpty(*saved, "sessionId"),
                               Take(*saved, "server")};
}

}  // namespace mcp_session
