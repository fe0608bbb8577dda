// JwtAuthenticator: tokens that an authorization server signed, checked against its public keys.
//
// The keys are fetched when the first token comes, again when they have grown old, and when a token
// names one that is not among them, though not more often than min_refresh. While the issuer is
// away the keys there are stay good for max_stale; a token that cannot be judged for want of keys
// is kUnavailable, not kInvalid.
#ifndef MCP_SESSION_AUTH_JWT_AUTHENTICATOR_H_
#define MCP_SESSION_AUTH_JWT_AUTHENTICATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/auth/jwk_set.h"
#include "mcp_session/auth/jwt.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"

namespace mcp_session {

// Gets the text of a key set, and calls `done` once: at once, or later on the loop's thread.
using JwksSource = std::function<void(std::function<void(Result<std::string>)> done)>;

struct JwtOptions {
  std::string issuer;                  // what "iss" has to be
  std::vector<std::string> audiences;  // one of which "aud" must have: this server's URL
  // What the issuer may sign with.
  std::vector<SignatureAlgorithm> algorithms = {
      SignatureAlgorithm::kRs256, SignatureAlgorithm::kPs256, SignatureAlgorithm::kEs256,
      SignatureAlgorithm::kEdDsa};
  std::int64_t leeway_seconds = 60;

  Millis refresh = Minutes(10);      // when keys are this old they are fetched again
  Millis min_refresh = Seconds(30);  // between two attempts, whatever tokens say
  Millis max_stale = Hours(24);      // how long keys are used that could not be fetched again
  std::size_t max_waiting = 1000;    // tokens that wait for keys; beyond: kUnavailable

  // Hears, at most once in min_refresh, why keys cannot be had. May be empty.
  std::function<void(std::string_view line)> log;
  // The clocks: monotonic, and seconds since 1970. Empty: the system's.
  std::function<Instant()> now;
  std::function<std::int64_t()> unix_time;
};

// The principal of a valid token is ISSUER#SUBJECT: subjects are unique only for their issuer. Used
// on one loop; several have one each.
class JwtAuthenticator final : public Authenticator {
 public:
  JwtAuthenticator(JwtOptions options, JwksSource source);
  ~JwtAuthenticator() override;
  JwtAuthenticator(const JwtAuthenticator&) = delete;
  JwtAuthenticator& operator=(const JwtAuthenticator&) = delete;

  void Authenticate(std::string_view token, Done done) override;

 private:
  struct Waiting {
    Jwt jwt;
    Done done;
  };
  // Whether the keys there are say that it is genuine; nothing if none of them could.
  std::optional<bool> Judge(const Jwt& jwt) const;
  Authentication Admitted(const Jwt& jwt) const;
  Authentication Unavailable(Instant now) const;
  bool HasKeys(Instant now) const;
  bool MayFetch(Instant now) const;
  void Fetch(Instant now);
  void OnFetched(Result<std::string> text);

  const JwtOptions options_;
  const JwtRules rules_;
  const JwksSource source_;
  std::optional<JwkSet> keys_;
  Instant fetched_at_{};                 // the keys
  std::optional<Instant> attempted_at_;  // to fetch them
  bool failed_ = false;                  // the last attempt
  bool fetching_ = false;
  std::vector<Waiting> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Key sets from a file, read anew each time.
JwksSource JwksFromFile(std::string path);

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_JWT_AUTHENTICATOR_H_
