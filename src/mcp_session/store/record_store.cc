#include "mcp_session/store/record_store.h"

#include <iterator>
#include <utility>
#include <variant>

namespace mcp_session {

void RecordStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  if (!std::holds_alternative<store::List>(command)) ++changes_;  // a Get moves an end
  StoreReply& reply = replies_.emplace_back();
  reply.ticket = ticket;
  reply.error = std::visit(
      [&](auto& concrete) -> RecordCommands::Outcome {
        if constexpr (requires { commands_.Do(concrete, now, reply); }) {
          return commands_.Do(concrete, now, reply);
        } else {
          return ErrorCode::kInvalidArgument;
        }
      },
      command);
}

void RecordStore::Drain(std::vector<StoreReply>* replies) {
  if (replies->empty()) {
    replies->swap(replies_);  // so that the two take turns, and neither allocates for long
    return;
  }
  std::move(replies_.begin(), replies_.end(), std::back_inserter(*replies));
  replies_.clear();
}

}  // namespace mcp_session
