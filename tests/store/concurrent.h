// Several threads, each with a store of its own, at work on the same records. What they saw must be
// explainable (linearizability.h), and no update may be lost.
#ifndef TESTS_STORE_CONCURRENT_H_
#define TESTS_STORE_CONCURRENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/store/backend.h"

namespace mcp_session {

// Makes the store of one client, on the thread that will use it. All are to share the same records,
// which are none at first; the limits are as large as they need to be.
using MakeStoreClient = std::function<std::unique_ptr<StoreUnderTest>(int client)>;

struct ConcurrentOptions {
  int clients = 8;
  int operations = 200;  // of each client
  int keys = 20;         // in pairs, between which Regenerate goes
  std::uint64_t seed = 1;

  // Whether half of the keys have no owner, so that no two have to be in one place. Not in a
  // cluster: there Regenerate between two such keys is two steps.
  bool with_bearers = true;

  // In front of the keys' ids, so that histories on one backend do not meet.
  std::string prefix;
};

// Runs random commands on `keys` keys. Nothing, or what cannot be explained. A reply that is
// kUnavailable stands for nothing, or with maybe_done for either.
std::optional<std::string> RunConcurrentHistories(const MakeStoreClient& make_client,
                                                  const ConcurrentOptions& options);

// One history after the other, on keys and with a seed of its own each: as many as the environment
// variable STORE_HISTORIES says, or `histories`.
std::optional<std::string> RunManyHistories(const MakeStoreClient& make_client, int histories,
                                            ConcurrentOptions options = {});

// Each client adds one to its own number in one record, `increments` times, by Get and Put with the
// version; outcomes that are not known are found out. Nothing, or what the record holds instead of
// `increments` for each.
std::optional<std::string> RunConcurrentCounters(const MakeStoreClient& make_client, int clients,
                                                 int increments);

}  // namespace mcp_session

#endif  // TESTS_STORE_CONCURRENT_H_
