// RedisAdmin::Check: what a server needs, tried, and what would hurt it later.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include "mcp_session/redis/admin_state.h"
#include "mcp_session/redis/check_parts.h"
#include "mcp_session/redis/question.h"
#include "mcp_session/redis/server_watch.h"
#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

using Verdict = CheckLine::Verdict;

constexpr int kPings = 100;
// A command has RedisOptions::command_timeout; a ping that takes a fifth of it leaves too little.
constexpr int kPartOfTimeout = 5;

void Say(std::vector<CheckLine>* lines, Verdict verdict, std::string subject, std::string text) {
  lines->push_back({verdict, std::move(subject), std::move(text)});
}

std::string InMillis(std::int64_t micros) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.2f ms", static_cast<double>(micros) / 1000);
  return text.data();
}

bool IsLocal(const RedisAddress& address) {
  return !address.path.empty() || address.host == "localhost" || address.host == "::1" ||
         address.host.starts_with("127.");
}

}  // namespace

std::vector<CheckLine> RedisAdmin::State::Check() {
  std::vector<CheckLine> lines;
  const std::string where = options_.endpoints[0].Text();
  if (options_.layout == RedisLayout::kSentinel) CheckSentinels(options_, &lines);
  if (const Result<void> connected = Connect(); !connected) {
    Say(&lines, Verdict::kBad, "connection", where + ": " + connected.error().message);
    return lines;
  }
  Say(&lines, Verdict::kGood, "connection",
      where + " answers, and lets us in" +
          (options_.password.empty() ? " without a password" : ""));
  const bool local = std::all_of(options_.endpoints.begin(), options_.endpoints.end(), IsLocal);
  if (options_.tls.enabled && options_.tls.insecure) {
    Say(&lines, Verdict::kBad, "TLS",
        "any certificate is accepted, so anybody on the way can read and write the sessions; give "
        "the CA file instead");
  } else if (options_.tls.enabled) {
    Say(&lines, Verdict::kGood, "TLS", "the certificate was verified");
  } else if (local) {
    Say(&lines, Verdict::kGood, "TLS", "not used, and not needed on one machine");
  } else {
    Say(&lines, Verdict::kWarning, "TLS",
        "not used: whoever is on the network can read and write the sessions; use rediss://");
  }
  if (options_.password.empty() && !local) {
    Say(&lines, Verdict::kWarning, "password",
        "the server wants none; give it one, or better a user of its own for the sessions");
  }
  const std::vector<std::string> nodes = route_->Nodes();
  if (options_.layout == RedisLayout::kCluster) CheckSlots(options_, &lines);
  for (const std::string& node : nodes) CheckServer(node, &lines);
  CheckPermissions(&lines);
  return lines;
}

void RedisAdmin::State::CheckServer(const std::string& node, std::vector<CheckLine>* lines) {
  const std::string where = node.empty() ? "" : node + ": ";
  std::string bytes;
  AppendRedisCommand(&bytes, {"INFO", "server"});
  AppendRedisCommand(&bytes, {"INFO", "memory"});
  AppendRedisCommand(&bytes, {"INFO", "replication"});
  const Result<Replies> replies = AskNode(node, std::move(bytes), 3);
  if (!replies) {
    return Say(lines, Verdict::kBad, "server", where + replies.error().message);
  }
  const std::string_view server = (*replies)[0].text;
  const std::string_view valkey = RedisInfoField(server, "valkey_version");
  Say(lines, Verdict::kGood, "version",
      where + (valkey.empty() ? "Redis " + std::string(RedisInfoField(server, "redis_version"))
                              : "Valkey " + std::string(valkey)));
  CheckMemory((*replies)[1].text, where, lines);
  const std::string_view replicas = RedisInfoField((*replies)[2].text, "connected_slaves");
  Say(lines, Verdict::kGood, "role",
      where + "a master, with " + std::string(replicas) + " replicas connected");
  CheckPersistence(node, where, lines);
  CheckLatency(node, where, lines);
}

void RedisAdmin::State::CheckMemory(std::string_view info, const std::string& where,
                                    std::vector<CheckLine>* lines) {
  lines->push_back(CheckEviction(info, where));
}

void RedisAdmin::State::CheckPersistence(const std::string& node, const std::string& where,
                                         std::vector<CheckLine>* lines) {
  std::string bytes;
  AppendRedisCommand(&bytes, {"INFO", "persistence"});
  const Result<Replies> replies = AskNode(node, std::move(bytes), 1);
  if (!replies) {
    return Say(lines, Verdict::kWarning, "persistence", where + replies.error().message);
  }
  const std::string_view info = (*replies)[0].text;
  const auto failed = [info](std::string_view field) {
    const std::string_view value = RedisInfoField(info, field);
    return !value.empty() && value != "ok";
  };
  if (failed("rdb_last_bgsave_status") || failed("aof_last_write_status")) {
    return Say(lines, Verdict::kBad, "persistence",
               where + "the server could not write to its disk the last time it tried");
  }
  if (RedisInfoField(info, "aof_enabled") == "1") {
    return Say(lines, Verdict::kGood, "persistence", where + "changes are written to disk");
  }
  Say(lines, Verdict::kWarning, "persistence",
      where +
          "no append-only file: a restart forgets what was changed since the last snapshot; "
          "set appendonly yes");
}

void RedisAdmin::State::CheckLatency(const std::string& node, const std::string& where,
                                     std::vector<CheckLine>* lines) {
  std::vector<std::int64_t> micros;
  for (int i = 0; i < kPings; ++i) {
    std::string bytes;
    AppendRedisCommand(&bytes, {"PING"});
    const auto start = std::chrono::steady_clock::now();
    const Result<Replies> replies = AskNode(node, std::move(bytes), 1);
    if (!replies) return Say(lines, Verdict::kBad, "latency", where + replies.error().message);
    micros.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - start)
                         .count());
  }
  std::sort(micros.begin(), micros.end());
  const std::int64_t p99 = micros[kPings * 99 / 100];
  const bool slow = p99 > timeout_.count * 1000 / kPartOfTimeout;
  Say(lines, slow ? Verdict::kWarning : Verdict::kGood, "latency",
      where + "of " + std::to_string(kPings) + " pings half took less than " +
          InMillis(micros[kPings / 2]) + ", 99 of 100 less than " + InMillis(p99) +
          (slow ? "; commands have " + std::to_string(timeout_.count) + " ms" : ""));
}

void RedisAdmin::State::CheckPermissions(std::vector<CheckLine>* lines) {
  if (const std::string missing = TryEverything(); !missing.empty()) {
    return Say(lines, Verdict::kBad, "permissions",
               missing + "; permit the user all that the scripts of the store run");
  }
  const std::string channel = options_.prefix + "{check}:e";
  std::optional<tl::expected<RedisReply, RedisFailure>> heard;
  route_->EventsLocator()([&](const tl::expected<RedisAddress, RedisFailure>& found) {
    if (!found) {
      heard = tl::unexpected(found.error());
      return;
    }
    RedisQuestion::Ask(loop_, options_, RedisPurpose::kEvents, *found, {"SUBSCRIBE", channel},
                       options_.command_timeout, [&](auto answer) { heard = std::move(answer); });
  });
  const Instant end = MonotonicNow() + options_.command_timeout + options_.connect_timeout;
  while (!heard && MonotonicNow() < end) loop_.run_one_until(ToSteadyTime(end));
  if (!heard || !*heard) {
    return Say(lines, Verdict::kWarning, "permissions",
               "records can be written, but SUBSCRIBE is refused: whoever waits for events hears "
               "of them up to a second late");
  }
  Say(lines, Verdict::kGood, "permissions", "all that a server does was done, and undone");
}

// What does not work, in words.
std::string RedisAdmin::State::TryEverything() {
  Result<std::unique_ptr<RedisSessionStore>> made =
      RedisSessionStore::Make(loop_, options_, entropy_);
  if (!made) return made.error().message;
  RedisSessionStore& store = **made;
  const auto run = [&](StoreCommand command) {
    store.Submit({1}, std::move(command), MonotonicNow());
    std::vector<StoreReply> replies;
    for (store.Drain(&replies); replies.empty(); store.Drain(&replies)) loop_.run_one();
    return replies[0];
  };
  for (const std::string& owner : {std::string(), "check-" + Hex16(operations_.NewWriteId())}) {
    const std::string id = "check-" + Hex16(operations_.NewWriteId());
    const std::string new_id = id + "-new";
    const RecordKey key{owner, "check", id};
    const RecordKey moved{owner, "check", new_id};
    const std::uint64_t holder = 1;
    std::vector<std::pair<std::string_view, StoreCommand>> steps = {
        {"create", store::Create{key, "data", {.max_life = Minutes(1)}}},
        {"get", store::Get{key}},
        {"put", store::Put{key, "more", std::nullopt}},
        {"touch", store::Touch{key}},
        {"lock", store::Lock{key, holder, Seconds(10)}},
        {"unlock", store::Unlock{key, holder}},
        {"append", store::Append{key, "event"}},
        {"read events", store::ReadEvents{key}},
        {"regenerate", store::Regenerate{key, moved}},
        {"remove", store::Remove{moved}},
    };
    if (!owner.empty()) {
      steps.push_back({"list", store::List{owner, "check", {}, 10}});
      steps.push_back({"remove owned", store::RemoveOwned{owner}});
    }
    for (auto& [name, step] : steps) {
      const StoreReply reply = run(std::move(step));
      if (!reply.error) continue;
      run(store::Remove{key});
      return std::string(name) + " is answered " + std::string(CodeName(*reply.error)) +
             (store.Status().reason.empty() ? "" : ": " + store.Status().reason);
    }
  }
  return {};
}

}  // namespace mcp_session
