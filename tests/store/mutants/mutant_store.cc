#include "tests/store/mutants/mutant_store.h"

#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

namespace mcp_session {

void Bug::Before(StoreCommand&, const Run&) {}
void Bug::After(const StoreCommand&, StoreReply&, const Run&) {}
void Bug::Drain(std::vector<StoreReply>&) {}

MutantStore::MutantStore(const MemoryStoreOptions& options, std::unique_ptr<Bug> bug)
    : inner_(options, entropy_), bug_(std::move(bug)) {}

void MutantStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  // Tickets of the commands that the bug runs on its own. Nobody waits for their replies.
  constexpr StoreTicket kOwn{0x6d7574616e74};
  const auto run = [&](StoreCommand own) {
    inner_.Drain(&replies_);
    inner_.Submit(kOwn, std::move(own), now);
    std::vector<StoreReply> replies;
    inner_.Drain(&replies);
    StoreReply answer;
    for (StoreReply& reply : replies) {
      if (reply.ticket == kOwn) {
        answer = std::move(reply);
      } else {
        replies_.push_back(std::move(reply));
      }
    }
    return answer;
  };
  const StoreCommand submitted = command;
  bug_->Before(command, run);
  std::vector<StoreReply> replies;
  inner_.Drain(&replies_);
  inner_.Submit(ticket, std::move(command), now);
  inner_.Drain(&replies);
  bool is_answered = false;
  for (StoreReply& reply : replies) {
    if (reply.ticket == ticket && !is_answered) {
      is_answered = true;
      bug_->After(submitted, reply, run);
    }
    replies_.push_back(std::move(reply));
  }
}

void MutantStore::Drain(std::vector<StoreReply>* replies) {
  inner_.Drain(&replies_);
  bug_->Drain(replies_);
  std::move(replies_.begin(), replies_.end(), std::back_inserter(*replies));
  replies_.clear();
}

void MutantStore::Tick(Instant now) { inner_.Tick(now); }

const RecordKey* KeyOf(const StoreCommand& command) {
  return std::visit(
      [](const auto& concrete) -> const RecordKey* {
        using Command = std::decay_t<decltype(concrete)>;
        if constexpr (std::is_same_v<Command, store::RemoveOwned> ||
                      std::is_same_v<Command, store::List>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Command, store::Regenerate>) {
          return &concrete.from;
        } else {
          return &concrete.key;
        }
      },
      command);
}

OwnedKey Own(const RecordKey& key) {
  return {std::string(key.owner), std::string(key.kind), std::string(key.id)};
}

RecordKey View(const OwnedKey& key) {
  return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
}

}  // namespace mcp_session
