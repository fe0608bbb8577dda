// A process that has locks is stopped until their leases are over and others were granted them;
// then it goes on, and must not be able to spoil anything.
#ifndef TESTS_STORE_STOPPED_HOLDER_H_
#define TESTS_STORE_STOPPED_HOLDER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/store/backend.h"

namespace mcp_session {

// Makes a store in a process of its own: it is called after fork. All share the same records, and
// their time is real.
using MakeStoreInProcess = std::function<std::unique_ptr<StoreUnderTest>()>;

// Stops the process `rounds` times, with `locks` locks each time. Nothing, or what went wrong. Call
// it before this process has a store.
std::optional<std::string> RunStoppedHolder(const MakeStoreInProcess& make_store, int rounds,
                                            int locks);

}  // namespace mcp_session

#endif  // TESTS_STORE_STOPPED_HOLDER_H_
