#include "mcp_session/redis/errors.h"

#include <cctype>
#include <utility>

namespace mcp_session {
namespace {

struct Row {
  std::string_view code;  // a word of the reply
  RedisErrorMeaning meaning;
};

constexpr Row kCodes[] = {
    {"NOSCRIPT", {ErrorCode::kUnavailable, RedisRemedy::kLoadScripts, "has lost the scripts"}},
    {"MOVED", {ErrorCode::kUnavailable, RedisRemedy::kMoved, "the slot has moved"}},
    {"ASK", {ErrorCode::kUnavailable, RedisRemedy::kAsk, "the slot is being moved"}},
    {"TRYAGAIN", {ErrorCode::kUnavailable, RedisRemedy::kTryAgain, "the slot is being moved"}},
    {"CLUSTERDOWN", {ErrorCode::kUnavailable, RedisRemedy::kNone, "the cluster is down"}},
    {"READONLY",
     {ErrorCode::kUnavailable, RedisRemedy::kReconnect, "is read-only: a replica",
      RedisCause::kReadOnly}},
    {"MASTERDOWN",
     {ErrorCode::kUnavailable, RedisRemedy::kReconnect, "is a replica without its master",
      RedisCause::kReadOnly}},
    {"NOREPLICAS",
     {ErrorCode::kUnavailable, RedisRemedy::kReconnect, "has not enough replicas to write"}},
    {"UNBLOCKED",
     {ErrorCode::kUnavailable, RedisRemedy::kReconnect, "has changed its role",
      RedisCause::kReadOnly}},
    {"LOADING",
     {ErrorCode::kUnavailable, RedisRemedy::kNone, "is loading its data", RedisCause::kLoading}},
    {"BUSY", {ErrorCode::kUnavailable, RedisRemedy::kNone, "is busy with a long script"}},
    {"MISCONF",
     {ErrorCode::kUnavailable, RedisRemedy::kNone, "takes no writes: it cannot save to its disk"}},
    {"NOQUORUM",
     {ErrorCode::kUnavailable, RedisRemedy::kNone, "sees too few sentinels for a quorum"}},
    {"OOM", {ErrorCode::kCapacity, RedisRemedy::kNone, "is out of memory"}},
    {"NOAUTH",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "wants a password", RedisCause::kAuth}},
    {"WRONGPASS",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "refuses user or password",
      RedisCause::kAuth}},
    {"NOPERM",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "does not permit our user what it needs",
      RedisCause::kPermission}},
    {"DENIED",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "is in protected mode",
      RedisCause::kPermission}},
    {"CROSSSLOT",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "is a cluster, and was not said to be one",
      RedisCause::kSettings}},
    {"WRONGTYPE", {ErrorCode::kCorrupt, RedisRemedy::kNone, "has something else under our key"}},
};

// ERR and nothing more exact.
constexpr Row kPhrases[] = {
    // A key of the script's tag that has gone ahead of the others.
    {"non local key", {ErrorCode::kUnavailable, RedisRemedy::kTryAgain, "the slot is being moved"}},
    {"max number of clients",
     {ErrorCode::kUnavailable, RedisRemedy::kNone, "has its maximum of clients"}},
    {"can't run this command",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "does not permit our user what it needs",
      RedisCause::kPermission}},
    {"invalid password",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "refuses user or password",
      RedisCause::kAuth}},
    {"without any password configured",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "has no password, and was given one",
      RedisCause::kAuth}},
    {"DB index is out of range",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "has no such database",
      RedisCause::kSettings}},
    {"No such master with that name",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "knows no master of this name",
      RedisCause::kSettings}},
    {"cluster support disabled",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "is no cluster, and was said to be one",
      RedisCause::kSettings}},
    {"SELECT is not allowed in cluster mode",
     {ErrorCode::kMisconfigured, RedisRemedy::kNone, "is a cluster, and was not said to be one",
      RedisCause::kSettings}},
};

constexpr RedisErrorMeaning kUnknown = {ErrorCode::kMisconfigured, RedisRemedy::kNone,
                                        "does not know what we ask for", RedisCause::kSettings};

std::string_view WordsOf(RedisCause cause) {
  switch (cause) {
    case RedisCause::kRefused:
      return "the connection is refused";
    case RedisCause::kHostNotFound:
      return "the host name is not found";
    case RedisCause::kTimedOut:
      return "the server did not answer in time";
    case RedisCause::kClosed:
      return "the server closed the connection";
    case RedisCause::kNetwork:
      return "the server cannot be reached";
    case RedisCause::kLoading:
      return "the server is loading its data";
    case RedisCause::kReadOnly:
      return "the server is read-only: a replica";
    case RedisCause::kNotReady:
      return "the server is not ready";
    case RedisCause::kTls:
      return "TLS: the server does not speak it";
    case RedisCause::kAuth:
      return "the server refuses user or password";
    case RedisCause::kPermission:
      return "the system does not let us connect";
    case RedisCause::kProtocol:
      return "the server does not speak the Redis protocol";
    case RedisCause::kSettings:
      return "the server is not what was asked for";
  }
  return {};
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// As a whole word anywhere: servers before 7 wrap what a script ran into.
bool HasWord(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !IsWordCharacter(text[at - 1])) &&
        (end == text.size() || !IsWordCharacter(text[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

RedisFailure MakeRedisFailure(RedisCause cause, std::string words) {
  return {CodeOf(cause), words.empty() ? std::string(WordsOf(cause)) : std::move(words), cause};
}

RedisErrorMeaning ClassifyRedisError(std::string_view text) {
  const std::string_view first = text.substr(0, text.find(' '));
  for (const Row& row : kCodes) {
    if (first == row.code) return row.meaning;
  }
  for (const Row& row : kPhrases) {
    if (text.find(row.code) != std::string_view::npos) return row.meaning;
  }
  // The rest of an unknown command's reply repeats what we sent.
  if (text.find("nknown command") == std::string_view::npos) {
    for (const Row& row : kCodes) {
      if (HasWord(text, row.code)) return row.meaning;
    }
  }
  return kUnknown;
}

}  // namespace mcp_session
