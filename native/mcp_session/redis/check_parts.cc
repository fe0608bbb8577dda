#include "mcp_session/redis/check_parts.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <utility>

#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/question.h"
#include "mcp_session/redis/server_watch.h"

namespace mcp_session {
namespace {

using Verdict = CheckLine::Verdict;
using Answer = tl::expected<RedisReply, RedisFailure>;

// Fewer cannot lose one and still agree, or still serve all.
constexpr std::size_t kFewestSentinels = 3;
constexpr std::size_t kFewestPrimaries = 3;

Answer Ask(const RedisOptions& options, RedisPurpose purpose, const RedisAddress& address,
           std::initializer_list<std::string_view> words) {
  boost::asio::io_context loop;
  std::optional<Answer> answer;
  const auto question =
      RedisQuestion::Ask(loop, options, purpose, address, words, options.command_timeout,
                         [&answer](Answer answered) { answer = std::move(answered); });
  while (!answer) loop.run_one();
  question->Close();
  return std::move(*answer);
}

// Whether it let us in, whatever it then said.
bool Answers(const Answer& answer) {
  if (answer) return true;
  const RedisCause cause = answer.error().cause;
  return cause == RedisCause::kNotReady || cause == RedisCause::kPermission ||
         cause == RedisCause::kSettings;
}

}  // namespace

CheckLine CheckEviction(std::string_view info, const std::string& where) {
  const std::string policy(RedisInfoField(info, "maxmemory_policy"));
  const bool unlimited = RedisInfoField(info, "maxmemory") == "0";
  if (policy.empty()) {
    return {Verdict::kWarning, "eviction",
            where +
                "the server does not tell its maxmemory-policy: make sure that it is noeviction, "
                "or a full server drops live sessions without a word"};
  }
  if (policy != "noeviction") {
    return {Verdict::kBad, "eviction",
            where + "maxmemory-policy is " + policy +
                ": a full server drops live sessions without a word; set it to noeviction"};
  }
  if (unlimited) {
    return {Verdict::kWarning, "eviction",
            where +
                "maxmemory is not set: the system may end the server when memory is short; "
                "set it"};
  }
  return {Verdict::kGood, "eviction",
          where + "noeviction: a full server refuses new records and keeps what it has"};
}

void CheckSentinels(const RedisOptions& options, std::vector<CheckLine>* lines) {
  std::size_t answering = 0;
  std::string silent;
  std::string quorum;  // why there is none
  bool may_ask = true;
  for (const RedisAddress& address : options.endpoints) {
    const Answer answer = Ask(options, RedisPurpose::kSentinel, address,
                              {"SENTINEL", "CKQUORUM", options.master_name});
    if (!Answers(answer)) {
      silent += "; " + address.Text() + ": " + answer.error().reason;
      continue;
    }
    ++answering;
    if (answer) continue;
    if (answer.error().cause == RedisCause::kPermission) {
      may_ask = false;
    } else {
      quorum += (quorum.empty() ? "" : "; ") + address.Text() + ": " + answer.error().reason;
    }
  }
  const std::size_t all = options.endpoints.size();
  const bool few = answering < all || all < kFewestSentinels;
  lines->push_back({answering == 0 ? Verdict::kBad
                    : few          ? Verdict::kWarning
                                   : Verdict::kGood,
                    "sentinels",
                    std::to_string(answering) + " of " + std::to_string(all) +
                        (all == 1 ? " sentinel answers" : " sentinels answer") + silent +
                        (all < kFewestSentinels ? "; name three or more" : "")});
  if (answering == 0) return;
  if (!quorum.empty()) {
    lines->push_back(
        {Verdict::kBad, "quorum", quorum + ": if the master fails, no other takes over"});
  } else if (!may_ask) {
    lines->push_back({Verdict::kWarning, "quorum",
                      "unknown: permit the user of the sentinels +sentinel|ckquorum"});
  } else {
    lines->push_back(
        {Verdict::kGood, "quorum", "is there: a replica takes over if the master fails"});
  }
}

void CheckSlots(const RedisOptions& options, std::vector<CheckLine>* lines) {
  std::string trouble;
  for (const RedisAddress& address : options.endpoints) {
    const Answer answer = Ask(options, RedisPurpose::kAdmin, address, {"CLUSTER", "SLOTS"});
    if (!answer) {
      trouble = address.Text() + ": " + answer.error().reason;
      continue;
    }
    std::vector<bool> covered(kRedisSlots);
    std::set<std::string> primaries;
    for (const RedisReply& range : answer->elements) {
      if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) continue;
      const std::vector<RedisReply>& primary = range.elements[2].elements;
      primaries.insert(primary[0].text + ':' + std::to_string(primary[1].integer));
      const std::int64_t end = std::min<std::int64_t>(range.elements[1].integer + 1, kRedisSlots);
      for (std::int64_t slot = std::max<std::int64_t>(range.elements[0].integer, 0); slot < end;
           ++slot) {
        covered[static_cast<std::size_t>(slot)] = true;
      }
    }
    const auto count = std::count(covered.begin(), covered.end(), true);
    const bool whole = count == kRedisSlots;
    const Verdict verdict = !whole                                ? Verdict::kBad
                            : primaries.size() < kFewestPrimaries ? Verdict::kWarning
                                                                  : Verdict::kGood;
    lines->push_back({verdict, "cluster",
                      (whole ? "all " : std::to_string(count) + " of ") +
                          std::to_string(kRedisSlots) + " slots are served, by " +
                          std::to_string(primaries.size()) + " primaries" +
                          (whole ? "" : ": records in the others are unavailable")});
    return;
  }
  lines->push_back({Verdict::kBad, "cluster", trouble});
}

}  // namespace mcp_session
