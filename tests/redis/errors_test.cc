// What Redis, Valkey and what runs inside their scripts say, and what it means.
#include "mcp_session/redis/errors.h"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/printers.h"

namespace mcp_session {
namespace {

struct Case {
  std::string_view text;
  ErrorCode code;
  RedisRemedy remedy = RedisRemedy::kNone;
};

constexpr Case kCases[] = {
    {"LOADING Redis is loading the dataset in memory", ErrorCode::kUnavailable},
    {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
     ErrorCode::kUnavailable},
    {"CLUSTERDOWN Hash slot not served", ErrorCode::kUnavailable},
    {"CLUSTERDOWN The cluster is down", ErrorCode::kUnavailable},
    {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
     ErrorCode::kUnavailable, RedisRemedy::kReconnect},
    {"READONLY You can't write against a read only replica.", ErrorCode::kUnavailable,
     RedisRemedy::kReconnect},
    {"READONLY You can't write against a read only replica. script: 0123456789abcdef, on @user_"
     "script:5.",
     ErrorCode::kUnavailable, RedisRemedy::kReconnect},
    {"ERR Error running script (call to f_0123456789abcdef): @user_script:5: @user_script: 5: "
     "-READONLY You can't write against a read only replica.",
     ErrorCode::kUnavailable, RedisRemedy::kReconnect},
    {"NOREPLICAS Not enough good replicas to write.", ErrorCode::kUnavailable,
     RedisRemedy::kReconnect},
    {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
     "disk.",
     ErrorCode::kUnavailable},
    {"OOM command not allowed when used memory > 'maxmemory'.", ErrorCode::kCapacity},
    {"OOM command not allowed when used memory > 'maxmemory'. script: 01, on @user_script:9.",
     ErrorCode::kCapacity},
    {"ERR Error running script (call to f_01): @user_script:5: @user_script: 5: -OOM command not "
     "allowed when used memory > 'maxmemory'.",
     ErrorCode::kCapacity},
    {"NOSCRIPT No matching script. Please use EVAL.", ErrorCode::kUnavailable,
     RedisRemedy::kLoadScripts},
    {"MOVED 3999 127.0.0.1:6381", ErrorCode::kUnavailable, RedisRemedy::kMoved},
    {"ASK 3999 127.0.0.1:6381", ErrorCode::kUnavailable, RedisRemedy::kAsk},
    {"TRYAGAIN Multiple keys request during rehashing of slot", ErrorCode::kUnavailable,
     RedisRemedy::kTryAgain},
    {"ERR Script attempted to access a non local key in a cluster node script: 01, on "
     "@user_script:9.",
     ErrorCode::kUnavailable, RedisRemedy::kTryAgain},
    {"ERR max number of clients reached", ErrorCode::kUnavailable},
    {"NOAUTH Authentication required.", ErrorCode::kMisconfigured},
    {"WRONGPASS invalid username-password pair or user is disabled.", ErrorCode::kMisconfigured},
    {"ERR invalid password", ErrorCode::kMisconfigured},
    {"ERR AUTH <password> called without any password configured for the default user. Are you "
     "sure your configuration is correct?",
     ErrorCode::kMisconfigured},
    {"NOPERM User sessions has no permissions to run the 'evalsha' command",
     ErrorCode::kMisconfigured},
    {"NOPERM this user has no permissions to access one of the keys used as arguments",
     ErrorCode::kMisconfigured},
    {"ERR The user executing the script can't run this command or subcommand script: 01, on "
     "@user_script:3.",
     ErrorCode::kMisconfigured},
    {"DENIED Redis is running in protected mode", ErrorCode::kMisconfigured},
    {"ERR DB index is out of range", ErrorCode::kMisconfigured},
    {"ERR This instance has cluster support disabled", ErrorCode::kMisconfigured},
    {"ERR SELECT is not allowed in cluster mode", ErrorCode::kMisconfigured},
    {"CROSSSLOT Keys in request don't hash to the same slot", ErrorCode::kMisconfigured},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", ErrorCode::kCorrupt},
    {"WRONGTYPE Operation against a key holding the wrong kind of value script: 01, on "
     "@user_script:7.",
     ErrorCode::kCorrupt},
    {"ERR Error running script (call to f_01): @user_script:7: WRONGTYPE Operation against a key "
     "holding the wrong kind of value",
     ErrorCode::kCorrupt},
    // What an unknown command repeats of ours says nothing.
    {"ERR unknown command 'EVALSHA', with args beginning with: 'OOM' 'LOADING' ",
     ErrorCode::kMisconfigured},
    {"ERR Unknown command or wrong number of arguments", ErrorCode::kMisconfigured},
    {"ERR something new that mentions BOOMERANG and MOVEDNESS", ErrorCode::kMisconfigured},
    {"", ErrorCode::kMisconfigured},
};

TEST(RedisErrors, EachMeansSomethingForUs) {
  for (const Case& one : kCases) {
    const RedisErrorMeaning meaning = ClassifyRedisError(one.text);
    EXPECT_EQ(meaning.code, one.code) << one.text;
    EXPECT_EQ(meaning.remedy, one.remedy) << one.text;
    EXPECT_FALSE(meaning.words.empty()) << one.text;
    EXPECT_FALSE(CannotBeReached(meaning.cause)) << one.text;
    EXPECT_EQ(CodeOf(meaning.cause) == ErrorCode::kMisconfigured,
              one.code == ErrorCode::kMisconfigured)
        << one.text;
  }
}

// What decides about a fallback, and the words that come of it.
TEST(RedisErrors, CausesHaveTheirCodeAndWords) {
  const struct {
    RedisCause cause;
    bool away;
    ErrorCode code;
  } rows[] = {
      {RedisCause::kRefused, true, ErrorCode::kUnavailable},
      {RedisCause::kHostNotFound, true, ErrorCode::kUnavailable},
      {RedisCause::kTimedOut, true, ErrorCode::kUnavailable},
      {RedisCause::kClosed, true, ErrorCode::kUnavailable},
      {RedisCause::kNetwork, true, ErrorCode::kUnavailable},
      {RedisCause::kLoading, false, ErrorCode::kUnavailable},
      {RedisCause::kReadOnly, false, ErrorCode::kUnavailable},
      {RedisCause::kNotReady, false, ErrorCode::kUnavailable},
      {RedisCause::kTls, false, ErrorCode::kMisconfigured},
      {RedisCause::kAuth, false, ErrorCode::kMisconfigured},
      {RedisCause::kPermission, false, ErrorCode::kMisconfigured},
      {RedisCause::kProtocol, false, ErrorCode::kMisconfigured},
      {RedisCause::kSettings, false, ErrorCode::kMisconfigured},
  };
  for (const auto& row : rows) {
    const RedisFailure failure = MakeRedisFailure(row.cause);
    EXPECT_EQ(failure.cause, row.cause);
    EXPECT_EQ(failure.code, row.code) << failure.reason;
    EXPECT_FALSE(failure.reason.empty());
    EXPECT_EQ(CannotBeReached(row.cause), row.away) << failure.reason;
    EXPECT_EQ(MakeRedisFailure(row.cause, "more exactly").reason, "more exactly");
  }
  EXPECT_EQ(ClassifyRedisError("LOADING Redis is loading").cause, RedisCause::kLoading);
  EXPECT_EQ(ClassifyRedisError("READONLY no").cause, RedisCause::kReadOnly);
  EXPECT_EQ(ClassifyRedisError("WRONGPASS no").cause, RedisCause::kAuth);
  EXPECT_EQ(ClassifyRedisError("NOPERM no").cause, RedisCause::kPermission);
}

}  // namespace
}  // namespace mcp_session
