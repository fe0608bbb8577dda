// The store behind the ABI: a RecordStore that the host and a server may use together, each with a
// clock of its own. Private to the ABI.
#ifndef MCP_SESSION_WASM_ABI_STORE_H_
#define MCP_SESSION_WASM_ABI_STORE_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/store/record_store.h"
#include "wasm/abi.h"
#include "wasm/abi_frame.h"

namespace mcp_session::abi {

class PageStore final : public SessionStore {
 public:
  PageStore(const MemoryStoreOptions& options, Entropy& entropy) : records_(options, entropy) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    records_.Submit(ticket, std::move(command), Latest(now));
  }
  void Drain(std::vector<StoreReply>* replies) override { records_.Drain(replies); }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return records_.NextDeadline(); }
  void Tick(Instant now) override { records_.Tick(Latest(now)); }
  StoreStatus Status() const override { return records_.Status(); }

  RecordStore& records() { return records_; }
  // The latest that anybody said it is.
  Instant Latest(Instant now) { return latest_ = std::max(latest_, now); }

 private:
  RecordStore records_;
  Instant latest_;
};

}  // namespace mcp_session::abi

// What a host holds; a server that stands on it holds it too.
struct mcps_store {
  std::shared_ptr<mcp_session::abi::PageStore> store;
  mcp_session::abi::Clock clock{};
};

#endif  // MCP_SESSION_WASM_ABI_STORE_H_
