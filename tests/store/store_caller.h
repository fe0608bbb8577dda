// A store and one who asks it, one command at a time.
#ifndef TESTS_STORE_STORE_CALLER_H_
#define TESTS_STORE_STORE_CALLER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/store/store.h"
#include "tests/store/backend.h"

namespace mcp_session {

class StoreCaller {
 public:
  explicit StoreCaller(std::unique_ptr<StoreUnderTest> store) : store_(std::move(store)) {}

  // kTimeout if there is no reply.
  StoreReply Run(StoreCommand command) {
    const StoreTicket ticket{++last_ticket_};
    store_->store().Submit(ticket, std::move(command), store_->Now());
    std::vector<StoreReply> replies;
    for (int turn = 0; turn < 3000; ++turn) {
      store_->store().Drain(&replies);
      for (StoreReply& reply : replies) {
        if (reply.ticket == ticket) return std::move(reply);
      }
      store_->Pump();
    }
    return {.ticket = ticket, .error = ErrorCode::kTimeout};
  }

  void Wait(Millis length) { store_->Wait(length); }

 private:
  std::unique_ptr<StoreUnderTest> store_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_STORE_CALLER_H_
