#include "mcp_session/redis/server_watch.h"

#include <algorithm>
#include <charconv>

namespace mcp_session {
namespace {

constexpr Millis kSayReset = Minutes(10);
// So few may also have been removed, all of them.
constexpr std::uint64_t kFewKeys = 100;

std::uint64_t Number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// 0 if the count went back, as after CONFIG RESETSTAT.
std::uint64_t Since(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

}  // namespace

std::string_view RedisInfoField(std::string_view info, std::string_view name) {
  const std::string line = std::string(name) + ":";
  for (std::size_t at = info.find(line); at != std::string_view::npos;
       at = info.find(line, at + 1)) {
    if (at != 0 && info[at - 1] != '\n') continue;
    const std::size_t start = at + line.size();
    return info.substr(start, std::min(info.find('\r', start), info.size()) - start);
  }
  return {};
}

void RedisVitals::ReadMemory(std::string_view info) {
  eviction_policy = RedisInfoField(info, "maxmemory_policy");
}

void RedisVitals::ReadStats(std::string_view info) {
  expired = Number(RedisInfoField(info, "expired_keys"));
  evicted = Number(RedisInfoField(info, "evicted_keys"));
}

// "db0:keys=5,expires=5,avg_ttl=0"; a database without keys is left out.
void RedisVitals::ReadKeyspace(std::string_view info, int database) {
  constexpr std::string_view kKeys = "keys=";
  std::string_view line = RedisInfoField(info, "db" + std::to_string(database));
  if (line.starts_with(kKeys)) line.remove_prefix(kKeys.size());
  keys = Number(line);
}

RedisServerWatch::News RedisServerWatch::See(const RedisVitals& vitals, Instant now) {
  const bool is_other_run = vitals.run_id != last_.run_id;
  News news;
  news.evicted = Since(is_other_run ? 0 : last_.evicted, vitals.evicted);
  news.reset = IsReset(vitals, is_other_run);
  if (news.reset) {
    reset_ = "store_reset: the server has " + std::to_string(*vitals.keys) + " keys, and had " +
             std::to_string(*last_.keys);
    reset_until_ = now + kSayReset;
  }
  last_ = vitals;
  return news;
}

bool RedisServerWatch::IsReset(const RedisVitals& vitals, bool is_other_run) const {
  if (!vitals.keys || !last_.keys) return false;
  if (is_other_run) return *vitals.keys * 10 < *last_.keys;
  const std::uint64_t ended =
      Since(last_.expired, vitals.expired) + Since(last_.evicted, vitals.evicted);
  const std::uint64_t expected = Since(ended, *last_.keys);
  return !keys_move_ && expected >= kFewKeys && *vitals.keys * 10 < expected;
}

std::string RedisServerWatch::Warning(Instant now) const {
  std::string warning;
  if (MayEvict().value_or(false)) {
    warning = "the server may drop live sessions: its maxmemory-policy is " +
              last_.eviction_policy + ", and should be noeviction";
  }
  if (now < reset_until_) warning += (warning.empty() ? "" : "; ") + reset_;
  return warning;
}

std::optional<bool> RedisServerWatch::MayEvict() const {
  if (last_.eviction_policy.empty()) return std::nullopt;
  return last_.eviction_policy != "noeviction";
}

}  // namespace mcp_session
