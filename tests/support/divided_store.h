// One store in memory as several nodes have it, each through a part of its own.
#ifndef TESTS_SUPPORT_DIVIDED_STORE_H_
#define TESTS_SUPPORT_DIVIDED_STORE_H_

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "mcp_session/store/memory_store.h"

namespace mcp_session {

class DividedStore {
 public:
  explicit DividedStore(Entropy& entropy) : memory_({}, entropy) {}

  // A node's. Must not outlive the whole.
  class Part final : public SessionStore {
   public:
    explicit Part(DividedStore& whole) : whole_(whole) {}
    ~Part() override { whole_.Forget(*this); }

    void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
      whole_.asked_[++whole_.last_] = {this, ticket};
      whole_.memory_.Submit(StoreTicket{whole_.last_}, std::move(command), now);
    }
    void Drain(std::vector<StoreReply>* replies) override {
      whole_.Collect();
      std::move(ready_.begin(), ready_.end(), std::back_inserter(*replies));
      ready_.clear();
    }
    void OnReady(std::function<void()>) override {}
    Instant NextDeadline() const override { return whole_.memory_.NextDeadline(); }
    void Tick(Instant now) override { whole_.memory_.Tick(now); }
    StoreStatus Status() const override { return whole_.memory_.Status(); }

   private:
    friend class DividedStore;
    DividedStore& whole_;
    std::vector<StoreReply> ready_;
  };

 private:
  struct Asked {
    Part* part;
    StoreTicket ticket;
  };

  void Collect() {
    std::vector<StoreReply> replies;
    memory_.Drain(&replies);
    for (StoreReply& reply : replies) {
      const auto asked = asked_.find(reply.ticket.number);
      if (asked == asked_.end()) continue;
      reply.ticket = asked->second.ticket;
      asked->second.part->ready_.push_back(std::move(reply));
      asked_.erase(asked);
    }
  }

  void Forget(const Part& part) {
    for (auto asked = asked_.begin(); asked != asked_.end();) {
      asked = asked->second.part == &part ? asked_.erase(asked) : std::next(asked);
    }
  }

  MemorySessionStore memory_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t last_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_DIVIDED_STORE_H_
