// Who sent a request, before anybody else hears of it (spec A-01, H-24).
#include <optional>
#include <string>

#include "mcp_session/auth/bearer.h"
#include "mcp_session/http/connection.h"
#include "mcp_session/http/server_state.h"
#include "mcp_session/protocol/http.h"

namespace mcp_session {
namespace {

// The token of a request. Two headers are no token: which of them counts would be anybody's guess.
Bearer FindBearer(const RequestReader& reader) {
  std::optional<Bearer> found;
  for (std::size_t i = 0; i < reader.header_count(); ++i) {
    if (!EqualIgnoringCase(reader.header_name(i), "authorization")) continue;
    if (found) return {BearerForm::kMalformed, {}};
    found = ParseBearer(reader.header_value(i));
  }
  return found.value_or(Bearer{});
}

}  // namespace

bool Connection::NeedsToken() const {
  if (server_.options().auth.authenticator == nullptr) return false;
  if (path() == server_.options().endpoint) return true;
  const HttpDynamicPage* page = server_.FindDynamicPage(path());
  return page != nullptr && page->needs_token;
}

void Connection::Verify() {
  const Bearer bearer = FindBearer(reader_);
  if (!Admits(server_.hosts(), Request())) {
    RespondFromHost(403, {{"content-type", "application/json"}},
                    RefusalBody(403, "this Origin or Host is not allowed"));
  } else if (bearer.form == BearerForm::kNone) {
    RefuseToken(401, Access::Reason::kNoToken, "a bearer token is needed");
  } else if (bearer.form == BearerForm::kMalformed) {
    Reject({});
  } else {
    step_ = Step::kVerifying;
    exchange_ = server_.NewExchange(slot_);
    return server_.Verify(exchange_, bearer.token);
  }
  if (!closed()) reader_.Next();
}

void Connection::OnVerified(const Authentication& who) {
  if (who.verdict != Authentication::Verdict::kValid || who.principal.empty()) {
    Reject(who);  // nobody without a name is let in as nobody
  } else if (!server_.access().Suffice(who.scopes)) {
    RefuseToken(403, Access::Reason::kInsufficientScope, "the token's scopes do not suffice");
  } else {
    Dispatch(who.principal);
  }
  if (closed()) return;
  reader_.Next();
  Changed();
}

void Connection::Reject(const Authentication& who) {
  if (who.verdict != Authentication::Verdict::kUnavailable) {
    return RefuseToken(401, Access::Reason::kInvalidToken, "the bearer token is not valid");
  }
  const auto seconds = (who.retry_after.count + 999) / 1000;
  RespondFromHost(503,
                  {{"content-type", "application/json"}, {"retry-after", std::to_string(seconds)}},
                  RefusalBody(503, "the bearer token cannot be verified now"));
}

void Connection::RefuseToken(int status, Access::Reason reason, std::string_view message) {
  RespondFromHost(status,
                  {{"content-type", "application/json"},
                   {"cache-control", "no-store"},
                   {"www-authenticate", server_.access().Challenge(reason)}},
                  RefusalBody(status, message));
}

}  // namespace mcp_session
