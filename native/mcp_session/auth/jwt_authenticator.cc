#include "mcp_session/auth/jwt_authenticator.h"

#include <chrono>
#include <utility>

#include "mcp_session/system/clock.h"
#include "mcp_session/system/read_file.h"

namespace mcp_session {
namespace {

using Verdict = Authentication::Verdict;

std::int64_t UnixTime() {
  using std::chrono::seconds;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<seconds>(since).count();
}

JwtOptions WithClocks(JwtOptions options) {
  if (!options.now) options.now = MonotonicNow;
  if (!options.unix_time) options.unix_time = UnixTime;
  return options;
}

}  // namespace

JwtAuthenticator::JwtAuthenticator(JwtOptions options, JwksSource source)
    : options_(WithClocks(std::move(options))),
      rules_{options_.issuer, options_.audiences, options_.algorithms, options_.leeway_seconds},
      source_(std::move(source)) {}

JwtAuthenticator::~JwtAuthenticator() = default;

void JwtAuthenticator::Authenticate(std::string_view token, Done done) {
  Result<Jwt> jwt = ParseJwt(token);
  // What would be refused anyway costs the issuer nothing.
  if (!jwt || !Admits(rules_, *jwt, options_.unix_time())) return done({});
  const Instant now = options_.now();
  const std::optional<bool> genuine = HasKeys(now) ? Judge(*jwt) : std::nullopt;
  if (genuine) {
    if (now - fetched_at_ >= options_.refresh && MayFetch(now)) Fetch(now);
    return done(*genuine ? Admitted(*jwt) : Authentication{});
  }
  if (!fetching_ && !MayFetch(now)) {
    // The issuer has just said which keys there are, or has just not answered.
    return done(HasKeys(now) && !failed_ ? Authentication{} : Unavailable(now));
  }
  if (waiting_.size() >= options_.max_waiting) return done(Unavailable(now));
  waiting_.push_back({std::move(*jwt), std::move(done)});
  if (!fetching_) Fetch(now);
}

std::optional<bool> JwtAuthenticator::Judge(const Jwt& jwt) const {
  const std::vector<const JwkSet::Key*> candidates = keys_->Candidates(jwt.key_id, jwt.algorithm);
  if (candidates.empty()) return std::nullopt;
  for (const JwkSet::Key* candidate : candidates) {
    if (candidate->key.Verifies(jwt.algorithm, jwt.signed_text, jwt.signature)) return true;
  }
  // Without a name it may be of a key that is newer than ours.
  if (jwt.key_id.empty()) return std::nullopt;
  return false;
}

Authentication JwtAuthenticator::Admitted(const Jwt& jwt) const {
  Authentication result;
  result.verdict = Verdict::kValid;
  result.principal = options_.issuer + '#' + jwt.subject;
  result.scopes = jwt.scopes;
  result.expires_at = *jwt.expires_at;
  return result;
}

Authentication JwtAuthenticator::Unavailable(Instant now) const {
  Authentication result;
  result.verdict = Verdict::kUnavailable;
  if (attempted_at_ && !fetching_) {
    result.retry_after = std::max(Seconds(1), *attempted_at_ + options_.min_refresh - now);
  }
  return result;
}

bool JwtAuthenticator::HasKeys(Instant now) const {
  return keys_ && now - fetched_at_ < options_.max_stale;
}

bool JwtAuthenticator::MayFetch(Instant now) const {
  return !fetching_ && (!attempted_at_ || now - *attempted_at_ >= options_.min_refresh);
}

void JwtAuthenticator::Fetch(Instant now) {
  fetching_ = true;
  attempted_at_ = now;
  source_([this, alive = std::weak_ptr<bool>(alive_)](Result<std::string> text) {
    if (!alive.expired()) OnFetched(std::move(text));
  });
}

void JwtAuthenticator::OnFetched(Result<std::string> text) {
  const Instant now = options_.now();
  Result<JwkSet> keys = text ? JwkSet::Parse(*text) : tl::unexpected<Error>(text.error());
  fetching_ = false;
  failed_ = !keys;
  if (keys) {
    keys_ = std::move(*keys);
    fetched_at_ = now;
  } else if (options_.log) {
    options_.log("the keys of the authorization server: " + keys.error().message);
  }
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    const std::optional<bool> genuine = HasKeys(now) ? Judge(waiting.jwt) : std::nullopt;
    if (genuine) {
      waiting.done(*genuine ? Admitted(waiting.jwt) : Authentication{});
    } else {
      waiting.done(failed_ ? Unavailable(now) : Authentication{});
    }
  }
}

JwksSource JwksFromFile(std::string path) {
  return [path = std::move(path)](const std::function<void(Result<std::string>)>& done) {
    done(ReadSmallFile(path, kMaxJwksBytes, "the file of keys"));
  };
}

}  // namespace mcp_session
