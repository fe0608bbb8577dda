#include "mcp_session/store/memory_store.h"

#include <iterator>
#include <utility>

namespace mcp_session {
namespace {

constexpr std::uint64_t kOnlyReader = 1;

}  // namespace

MemorySessionStore::MemorySessionStore(const MemoryStoreOptions& options, Entropy& entropy)
    : table_(options, MakeSipKey(entropy)) {}

void MemorySessionStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  StoreReply& reply = replies_.emplace_back();
  reply.ticket = ticket;
  if (!table_.Run(command, ticket, kOnlyReader, now, &reply)) replies_.pop_back();
  CollectAnswered();
}

void MemorySessionStore::Drain(std::vector<StoreReply>* replies) {
  if (replies->empty()) {
    replies->swap(replies_);  // so that the two take turns, and neither allocates for long
    return;
  }
  std::move(replies_.begin(), replies_.end(), std::back_inserter(*replies));
  replies_.clear();
}

void MemorySessionStore::Tick(Instant now) {
  table_.Tick(now);
  CollectAnswered();
}

void MemorySessionStore::CollectAnswered() {
  if (!table_.has_answered()) return;
  std::vector<AnsweredReader> answered;
  table_.TakeAnswered(&answered);
  for (AnsweredReader& each : answered) replies_.push_back(std::move(each.reply));
}

}  // namespace mcp_session
