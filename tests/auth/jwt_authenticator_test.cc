// JwtAuthenticator with clocks and a source of keys that the test holds.
#include "mcp_session/auth/jwt_authenticator.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/auth/token_maker.h"

namespace mcp_session {
namespace {

using Verdict = Authentication::Verdict;

struct Issuer {
  Issuer() {
    options.issuer = kTestIssuer;
    options.audiences = {std::string(kTestAudience)};
    options.now = [this] { return now; };
    options.unix_time = [this] { return unix_time; };
    options.log = [this](std::string_view line) { log.emplace_back(line); };
  }

  JwksSource Source() {
    return [this](std::function<void(Result<std::string>)> done) {
      ++fetches;
      if (answers_at_once) return done(keys);
      pending = std::move(done);
    };
  }

  void Answer(Result<std::string> text) { std::exchange(pending, nullptr)(std::move(text)); }

  // Nothing: there is no answer yet.
  std::optional<Authentication> Ask(const std::string& token) {
    const auto answer = std::make_shared<std::optional<Authentication>>();
    authenticator->Authenticate(token, [answer](Authentication result) { *answer = result; });
    last = answer;
    return *answer;
  }

  std::string TokenOf(const SigningKey& key, std::string_view subject = "alice") const {
    return key.Sign(ClaimsOf(subject, unix_time));
  }

  void Pass(Millis time) {
    now = now + time;
    unix_time += time.count / 1000;
  }

  void Start() { authenticator.emplace(options, Source()); }

  JwtOptions options;
  Instant now{1'000'000};
  std::int64_t unix_time = 1'800'000'000;
  Result<std::string> keys = Failure(ErrorCode::kUnavailable, Blame::kEnvironment, "away");
  bool answers_at_once = true;
  std::function<void(Result<std::string>)> pending;
  int fetches = 0;
  std::vector<std::string> log;
  std::shared_ptr<std::optional<Authentication>> last;
  std::optional<JwtAuthenticator> authenticator;
};

TEST(JwtAuthenticator, AdmitsWhatItsIssuerSigned) {
  Issuer issuer;
  const SigningKey key("ES256", "one");
  issuer.keys = KeySet({&key});
  issuer.Start();
  const auto alice =
      issuer.Ask(key.Sign(ClaimsOf("alice", issuer.unix_time, R"(,"scope":"read")")));
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->verdict, Verdict::kValid);
  EXPECT_EQ(alice->principal, "https://issuer.example#alice");
  EXPECT_EQ(alice->scopes, (std::vector<std::string>{"read"}));
  EXPECT_EQ(alice->expires_at, issuer.unix_time + 3600);
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key, "bob"))->principal, "https://issuer.example#bob");
  EXPECT_EQ(issuer.fetches, 1);
  issuer.Pass(Seconds(3600 + 60));
  EXPECT_EQ(issuer.Ask(key.Sign(ClaimsOf("alice", issuer.unix_time - 3660)))->verdict,
            Verdict::kInvalid);
}

TEST(JwtAuthenticator, FetchesNothingForWhatItWouldRefuseAnyway) {
  Issuer issuer;
  const SigningKey key("EdDSA", "one");
  issuer.Start();
  for (const std::string& token :
       {std::string("abc"), key.Sign(ClaimsOf("alice", issuer.unix_time - 7200)),
        key.Sign(R"({"iss":"https://evil.example","sub":"alice","exp":9999999999})")}) {
    EXPECT_EQ(issuer.Ask(token)->verdict, Verdict::kInvalid);
  }
  EXPECT_EQ(issuer.fetches, 0);
}

TEST(JwtAuthenticator, LetsTokensWaitForTheKeys) {
  Issuer issuer;
  issuer.answers_at_once = false;
  issuer.options.max_waiting = 2;
  const SigningKey key("EdDSA", "one");
  issuer.Start();
  EXPECT_FALSE(issuer.Ask(issuer.TokenOf(key)));
  const auto first = issuer.last;
  EXPECT_FALSE(issuer.Ask(issuer.TokenOf(SigningKey("EdDSA", "one"))));
  const auto second = issuer.last;
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kUnavailable);  // one too many
  EXPECT_EQ(issuer.fetches, 1);
  issuer.Answer(KeySet({&key}));
  EXPECT_EQ((*first)->verdict, Verdict::kValid);
  EXPECT_EQ((*second)->verdict, Verdict::kInvalid);
}

TEST(JwtAuthenticator, TellsAnOutageFromABadToken) {
  Issuer issuer;
  const SigningKey key("EdDSA", "one");
  issuer.Start();
  const auto away = issuer.Ask(issuer.TokenOf(key));
  EXPECT_EQ(away->verdict, Verdict::kUnavailable);
  EXPECT_EQ(away->retry_after, Seconds(30));
  EXPECT_EQ(issuer.log, (std::vector<std::string>{"the keys of the authorization server: away"}));
  issuer.Pass(Seconds(10));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->retry_after, Seconds(20));
  EXPECT_EQ(issuer.fetches, 1);  // it is not asked for every token
  issuer.keys = "no keys";
  issuer.Pass(Seconds(20));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kUnavailable);
  issuer.keys = KeySet({&key});
  issuer.Pass(Seconds(30));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kValid);
  EXPECT_EQ(issuer.fetches, 3);
}

TEST(JwtAuthenticator, LooksForAKeyItDoesNotKnowNowAndThen) {
  Issuer issuer;
  const SigningKey old_key("EdDSA", "one");
  const SigningKey new_key("EdDSA", "two");
  issuer.keys = KeySet({&old_key});
  issuer.Start();
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(old_key))->verdict, Verdict::kValid);
  issuer.keys = KeySet({&old_key, &new_key});
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(new_key))->verdict, Verdict::kInvalid);  // too soon
  EXPECT_EQ(issuer.fetches, 1);
  issuer.Pass(Seconds(30));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(new_key))->verdict, Verdict::kValid);
  EXPECT_EQ(issuer.fetches, 2);
}

TEST(JwtAuthenticator, KeepsOldKeysWhileTheIssuerIsAway) {
  Issuer issuer;
  const SigningKey key("EdDSA", "one");
  issuer.keys = KeySet({&key});
  issuer.Start();
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kValid);
  issuer.keys = Failure(ErrorCode::kUnavailable, Blame::kEnvironment, "away");
  issuer.Pass(Minutes(10));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kValid);
  EXPECT_EQ(issuer.fetches, 2);
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(SigningKey("EdDSA", "two")))->verdict,
            Verdict::kUnavailable);  // it may be a new one
  issuer.Pass(Hours(24));
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(key))->verdict, Verdict::kUnavailable);
}

TEST(JwtAuthenticator, ForgetsAKeyThatTheIssuerWithdrew) {
  Issuer issuer;
  const SigningKey stolen("EdDSA", "one");
  const SigningKey key("EdDSA", "two");
  issuer.keys = KeySet({&stolen});
  issuer.Start();
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(stolen))->verdict, Verdict::kValid);
  issuer.keys = KeySet({&key});
  issuer.Pass(Minutes(10));
  (void)issuer.Ask(issuer.TokenOf(stolen));  // the one that asks again
  EXPECT_EQ(issuer.Ask(issuer.TokenOf(stolen))->verdict, Verdict::kInvalid);
}

TEST(JwtAuthenticator, MayEndBeforeItsKeysCome) {
  Issuer issuer;
  issuer.answers_at_once = false;
  const SigningKey key("EdDSA", "one");
  issuer.Start();
  EXPECT_FALSE(issuer.Ask(issuer.TokenOf(key)));
  issuer.authenticator.reset();
  issuer.Answer(KeySet({&key}));
  EXPECT_FALSE(*issuer.last);
}

}  // namespace
}  // namespace mcp_session
