#include "mcp_session/redis/connection.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <limits>
#include <utility>

#include "mcp_session/redis/scripts.h"

namespace mcp_session {
namespace {

// Then whoever got them goes on, and the server has what is asked next, while we read on.
constexpr std::size_t kRepliesInTurn = 32;

std::optional<RedisFailure> ExpectOk(const RedisReply& reply) {
  if (reply.IsOk()) return std::nullopt;
  return RedisFailureOf(reply);
}

std::optional<RedisFailure> ExpectPong(const RedisReply& reply) {
  if (reply.type == RedisReply::Type::kStatus && reply.text == "PONG") return std::nullopt;
  return RedisFailureOf(reply);
}

// SET with PXAT, KEEPTTL, GETDEL: all of it is in 6.2.
bool IsOldVersion(std::string_view version) {
  int major = 0, minor = 0;
  const char* const end = version.data() + version.size();
  const auto [at, error] = std::from_chars(version.data(), end, major);
  if (error != std::errc() || at == end) return true;
  std::from_chars(at + 1, end, minor);
  return major < 6 || (major == 6 && minor < 2);
}

std::optional<RedisFailure> ExpectMaster(const RedisReply& reply) {
  if (reply.IsError()) return RedisFailureOf(reply);
  if (reply.type == RedisReply::Type::kArray && !reply.elements.empty()) {
    const std::string& role = reply.elements[0].text;
    if (role == "master") return std::nullopt;
    if (role == "slave") {
      return MakeRedisFailure(RedisCause::kReadOnly);
    }
    if (role == "sentinel") {
      return MakeRedisFailure(RedisCause::kSettings, "the server is a sentinel");
    }
  }
  return RedisFailureOf(reply);
}

}  // namespace

RedisFailure RedisFailureOf(const RedisReply& reply) {
  if (!reply.IsError()) {
    return MakeRedisFailure(RedisCause::kProtocol, "the server answers what no Redis answers");
  }
  const RedisErrorMeaning meaning = ClassifyRedisError(reply.text);
  return {meaning.code == ErrorCode::kMisconfigured ? meaning.code : ErrorCode::kUnavailable,
          "the server " + std::string(meaning.words), meaning.cause};
}

RedisConnection::RedisConnection(boost::asio::io_context& loop, const RedisOptions& options,
                                 RedisPurpose purpose)
    : loop_(loop), options_(options), purpose_(purpose) {}

void RedisConnection::Start(const RedisAddress& address, Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  PlanHandshake();
  transport_ = MakeRedisTransport(loop_, address, options_.tls);
  transport_->Connect([self = shared_from_this()](std::optional<RedisFailure> failure) {
    if (failure) return self->Fail(std::move(*failure));
    self->OnConnected();
  });
}

void RedisConnection::Add(std::initializer_list<std::string_view> words, Check check) {
  AppendRedisCommand(&flights_.back().bytes, words);
  flights_.back().checks.push_back(std::move(check));
}

// Credentials go alone: after a refused AUTH a connection works on as the user "default", and
// nothing else may have been sent by then.
void RedisConnection::PlanHandshake() {
  const bool to_sentinel = purpose_ == RedisPurpose::kSentinel;
  const std::string& user = to_sentinel ? options_.sentinel_user : options_.user;
  const std::string& password = to_sentinel ? options_.sentinel_password : options_.password;
  if (!password.empty()) {
    flights_.emplace_back();
    if (user.empty()) {
      Add({"AUTH", password}, ExpectOk);
    } else {
      Add({"AUTH", user, password}, ExpectOk);
    }
  }
  flights_.emplace_back();
  Add({"PING"}, ExpectPong);
  if (to_sentinel || purpose_ == RedisPurpose::kEvents) return;
  if (options_.database != 0) Add({"SELECT", std::to_string(options_.database)}, ExpectOk);
  if (purpose_ == RedisPurpose::kAdmin) return;
  Add({"INFO", "server"}, [this](const RedisReply& reply) -> std::optional<RedisFailure> {
    if (!reply.IsText()) return RedisFailureOf(reply);
    info_.version = RedisInfoField(reply.text, "redis_version");
    info_.vitals.run_id = RedisInfoField(reply.text, "run_id");
    if (!IsOldVersion(info_.version)) return std::nullopt;
    return MakeRedisFailure(RedisCause::kSettings,
                            "the server is Redis " + info_.version + ", older than 6.2");
  });
  Add({"INFO", "memory"}, [this](const RedisReply& reply) -> std::optional<RedisFailure> {
    if (!reply.IsText()) return RedisFailureOf(reply);
    info_.vitals.ReadMemory(reply.text);
    return std::nullopt;
  });
  Add({"INFO", "stats"}, [this](const RedisReply& reply) -> std::optional<RedisFailure> {
    if (!reply.IsText()) return RedisFailureOf(reply);
    info_.vitals.ReadStats(reply.text);
    return std::nullopt;
  });
  Add({"INFO", "keyspace"}, [this](const RedisReply& reply) -> std::optional<RedisFailure> {
    if (!reply.IsText()) return RedisFailureOf(reply);
    info_.vitals.ReadKeyspace(reply.text, options_.database);
    return std::nullopt;
  });
  Add({"ROLE"}, ExpectMaster);
  Add({"CLIENT", "ID"}, [this](const RedisReply& reply) -> std::optional<RedisFailure> {
    if (reply.type == RedisReply::Type::kInteger) info_.client_id = reply.integer;
    return std::nullopt;
  });
  for (const RedisScript& script : RedisScripts()) {
    Add({"SCRIPT", "LOAD", script.text},
        [&script](const RedisReply& reply) -> std::optional<RedisFailure> {
          if (reply.IsText() && reply.text == script.sha) return std::nullopt;
          return RedisFailureOf(reply);
        });
  }
}

void RedisConnection::OnConnected() {
  connected_ = true;
  Read();
  SendHandshake();
}

void RedisConnection::SendHandshake() {
  answered_ = 0;
  transport_->Write(&flights_[flight_].bytes,
                    [self = shared_from_this()](std::optional<RedisFailure> failure) {
                      if (failure) self->Fail(std::move(*failure));
                    });
}

void RedisConnection::Write(std::string* bytes) {
  transport_->Write(bytes, [self = shared_from_this()](std::optional<RedisFailure> failure) {
    if (failure) return self->Fail(std::move(*failure));
    self->callbacks_.written();
  });
}

void RedisConnection::Read() {
  transport_->Read(
      [self = shared_from_this()](std::string_view bytes, std::optional<RedisFailure> failure) {
        if (failure) return self->Fail(std::move(*failure));
        self->heard_ = self->reading_ = true;
        self->unread_ = bytes;
        self->ReadOn(kRepliesInTurn);
      });
}

void RedisConnection::ReadAll() {
  if (reading_ && !closed_) ReadOn(std::numeric_limits<std::size_t>::max());
}

void RedisConnection::ReadOn(std::size_t replies) {
  if (ready_ && callbacks_.heard) callbacks_.heard();
  for (; !closed_; --replies) {
    if (replies == 0) {
      return boost::asio::post(loop_, [self = shared_from_this()] {
        if (self->reading_ && !self->closed_) self->ReadOn(kRepliesInTurn);
      });
    }
    std::optional<RedisReply> reply = reader_.Next(&unread_);
    if (!reply) break;
    if (ready_) {
      callbacks_.reply(std::move(*reply));
    } else {
      OnHandshakeReply(*reply);
    }
  }
  if (closed_) return;
  if (reader_.broken()) {
    RedisFailure failure = MakeRedisFailure(RedisCause::kProtocol);
    if (ready_) failure.code = ErrorCode::kUnavailable;  // it did so far
    return Fail(std::move(failure));
  }
  reading_ = false;
  Read();
}

void RedisConnection::OnHandshakeReply(const RedisReply& reply) {
  const std::vector<Check>& checks = flights_[flight_].checks;
  if (answered_ == checks.size()) {
    return Fail(MakeRedisFailure(RedisCause::kProtocol, "the server answers what nobody asked"));
  }
  if (std::optional<RedisFailure> failure = checks[answered_](reply)) {
    return Fail(std::move(*failure));
  }
  if (++answered_ < checks.size()) return;
  if (++flight_ < flights_.size()) return SendHandshake();
  flights_.clear();
  ready_ = true;
  callbacks_.ready(info_);
}

void RedisConnection::Fail(RedisFailure failure) {
  if (closed_) return;
  if (connected_ && !heard_ && failure.code == ErrorCode::kUnavailable)
    failure.reason += ", before it said a word";
  const auto failed = std::move(callbacks_.failed);
  Close();
  failed(std::move(failure));
}

void RedisConnection::Close() {
  if (closed_) return;
  closed_ = true;
  if (transport_ != nullptr) transport_->Close();
}

}  // namespace mcp_session
