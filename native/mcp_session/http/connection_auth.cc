// Who sent a request, and whether it may, before anybody else hears of it (spec A-01, H-24):
// pages of other origins, tokens, and what one caller may have open.
#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/auth/bearer.h"
#include "mcp_session/http/connection.h"
#include "mcp_session/http/cors.h"
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

ResponseHeaders RetryAfter(Millis time) {
  return {{"content-type", "application/json"},
          {"retry-after", std::to_string(std::max<std::int64_t>(1, (time.count + 999) / 1000))}};
}

// The name of a caller without a name: the address, of IPv6 the part that is one customer's.
std::string NameOf(const boost::asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return "a" + std::string(bytes.begin(), bytes.end());
  }
  const auto bytes = address.to_v6().to_bytes();
  const bool mapped = address.to_v6().is_v4_mapped();
  return "a" + (mapped ? std::string(bytes.end() - 4, bytes.end())
                       : std::string(bytes.begin(), bytes.begin() + 8));
}

}  // namespace

// Whose pages may read the answer to the current request.
void Connection::NoteOrigin() {
  origin_.clear();
  const std::string_view origin = reader_.FindHeader("origin");
  if (origin.empty()) return;
  if (server_.has_metadata_at(path())) {
    origin_ = "*";  // it is for everybody
  } else if (path() == server_.options().endpoint) {
    HttpRequest caller(reader_.method(), {});
    caller.AddHeader("origin", origin);
    if (const auto host = reader_.FindHeader("host"); !host.empty()) caller.AddHeader("host", host);
    if (Admits(server_.hosts(), caller)) origin_ = origin;
  }
}

bool Connection::IsPreflight() const {
  return reader_.method() == "OPTIONS" && !reader_.FindHeader("origin").empty() &&
         !reader_.FindHeader("access-control-request-method").empty() &&
         (path() == server_.options().endpoint || server_.has_metadata_at(path()));
}

void Connection::AnswerPreflight() {
  if (origin_.empty()) return RefuseOrigin();
  RespondFromHost(204, PreflightHeaders(reader_.FindHeader("access-control-request-headers")), {});
}

bool Connection::NeedsToken() const {
  if (!server_.has_authenticator()) return false;
  if (path() == server_.options().endpoint) return true;
  const HttpDynamicPage* page = server_.FindDynamicPage(path());
  return page != nullptr && page->needs_token;
}

void Connection::Verify() {
  const Bearer bearer = FindBearer(reader_);
  if (!Admits(server_.hosts(), Request())) {
    RefuseOrigin();
  } else if (bearer.form == BearerForm::kNone) {
    RefuseToken(401, Access::Reason::kNoToken, "a bearer token is needed");
  } else if (bearer.form == BearerForm::kMalformed) {
    Reject({});
  } else {
    step_ = Step::kWaiting;
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

void Connection::RefuseOrigin() {
  RespondFromHost(403, {{"content-type", "application/json"}},
                  RefusalBody(403, "this Origin or Host is not allowed"));
}

void Connection::Reject(const Authentication& who) {
  if (who.verdict != Authentication::Verdict::kUnavailable) {
    return RefuseToken(401, Access::Reason::kInvalidToken, "the bearer token is not valid");
  }
  RespondFromHost(503, RetryAfter(who.retry_after),
                  RefusalBody(503, "the bearer token cannot be verified now"));
}

void Connection::RefuseToken(int status, Access::Reason reason, std::string_view message) {
  RespondFromHost(status,
                  {{"content-type", "application/json"},
                   {"cache-control", "no-store"},
                   {"www-authenticate", server_.access().Challenge(reason)}},
                  RefusalBody(status, message));
}

// False, and answered, if the caller has as much open as it may.
bool Connection::Open(std::string_view principal) {
  CallerLimits& limits = server_.caller_limits();
  if (!limits.limits_anything()) return true;
  if (principal.empty() && peer_.empty()) {
    boost::system::error_code error;
    const auto peer = socket_.remote_endpoint(error);
    peer_ = error ? "a" : NameOf(peer.address());
  }
  const std::string name = principal.empty() ? peer_ : "p" + std::string(principal);
  const auto kind = is_get_ ? CallerLimits::Kind::kStream : CallerLimits::Kind::kRequest;
  const CallerLimits::Admission admission = limits.Open(name, kind, server_.now());
  caller_ = admission.caller;
  if (caller_ != nullptr) return true;
  RespondFromHost(429, RetryAfter(admission.retry_after),
                  RefusalBody(429, "too many requests of this caller"));
  return false;
}

void Connection::CloseCall() {
  if (caller_ == nullptr) return;
  const auto kind = is_get_ ? CallerLimits::Kind::kStream : CallerLimits::Kind::kRequest;
  server_.caller_limits().Close(std::exchange(caller_, nullptr), kind);
}

}  // namespace mcp_session
