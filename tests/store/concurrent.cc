#include "tests/store/concurrent.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "tests/store/linearizability.h"
#include "tests/store/matchers.h"
#include "tests/store/store_caller.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

constexpr Lifetime kLong{.idle_ttl = Hours(1)};

// What a client knows of a key.
struct Knowledge {
  std::uint64_t version = 0;
  std::uint64_t holder = 0;
  std::uint64_t token = 0;
};

// What one client does and sees. Clients yield after each command, for there are fewer processors
// than clients.
class HistoryWriter {
 public:
  HistoryWriter(int client, const ConcurrentOptions& options, std::atomic<std::uint64_t>& clock)
      : client_(client),
        options_(options),
        clock_(clock),
        random_(options.seed * 1000 + static_cast<std::uint64_t>(client)),
        known_(PairsOf(options)),
        histories_(PairsOf(options)) {}

  static std::size_t PairsOf(const ConcurrentOptions& options) {
    return static_cast<std::size_t>(options.keys) / 2;
  }

  void Run(StoreCaller client) {
    for (int i = 0; i < options_.operations; ++i) {
      Step(client, random_.Below(known_.size()), i);
      std::this_thread::yield();
    }
  }

  std::vector<std::vector<Operation>>& histories() { return histories_; }

 private:
  using Kind = Operation::Kind;

  void Step(StoreCaller& client, std::size_t pair, int number) {
    Operation operation;
    operation.client = client_;
    operation.place = static_cast<int>(random_.Below(2));
    Choose(operation, known_[pair][static_cast<std::size_t>(operation.place)]);
    if (operation.kind == Kind::kCreate || operation.kind == Kind::kPut) {
      operation.data = std::to_string(client_) + "." + std::to_string(number);
    }
    // One of two pairs has an owner, so that its keys are in one place.
    const std::string name = options_.prefix + std::to_string(pair);
    const bool has_owner = !options_.with_bearers || pair % 2 == 0;
    const std::string owner = has_owner ? name : std::string();
    const std::string ids[] = {name + " a", name + " b"};
    const RecordKey key{owner, "history", ids[operation.place]};
    const RecordKey other{owner, "history", ids[1 - operation.place]};
    operation.invoked = clock_++;
    const StoreReply reply = client.Run(CommandOf(operation, key, other));
    operation.returned = clock_++;
    Record(operation, reply, known_[pair], histories_[pair]);
  }

  void Choose(Operation& operation, Knowledge& known) {
    const std::uint64_t dice = random_.Below(100);
    if (dice < 15) {
      operation.kind = Kind::kGet;
    } else if (dice < 28) {
      operation.kind = Kind::kCreate;
    } else if (dice < 58) {
      operation.kind = Kind::kPut;
      if (dice < 46) operation.expected = known.version;
      if (dice >= 40) operation.fence = known.token;
    } else if (dice < 61) {
      operation.kind = Kind::kTouch;
    } else if (dice < 65) {
      operation.kind = Kind::kRemove;
      if (dice < 64) operation.expected = known.version;
    } else if (dice < 67) {
      operation.kind = Kind::kTake;
    } else if (dice < 75) {
      operation.kind = Kind::kRegenerate;
    } else if (dice < 77) {
      operation.kind = dice == 75 ? Kind::kUnlock : Kind::kExtend;
      operation.holder = 1;  // nobody
    } else if (known.holder == 0 || dice < 82) {
      operation.kind = Kind::kLock;
      if (known.holder == 0) known.holder = random_.Next() | 1;
      operation.holder = known.holder;
    } else if (dice < 87) {
      operation.kind = Kind::kExtend;
      operation.holder = known.holder;
    } else {
      operation.kind = Kind::kUnlock;
      operation.holder = std::exchange(known.holder, 0);
    }
  }

  static StoreCommand CommandOf(const Operation& operation, const RecordKey& key,
                                const RecordKey& other) {
    switch (operation.kind) {
      case Kind::kGet:
        return store::Get{key};
      case Kind::kCreate:
        return store::Create{key, operation.data, kLong};
      case Kind::kPut:
        return store::Put{key, operation.data, operation.expected, 0, operation.fence};
      case Kind::kTouch:
        return store::Touch{key};
      case Kind::kRemove:
        return store::Remove{key, operation.expected, operation.fence};
      case Kind::kTake:
        return store::Take{key};
      case Kind::kRegenerate:
        return store::Regenerate{key, other};
      case Kind::kLock:
        return store::Lock{key, operation.holder, kMaxLease};
      case Kind::kExtend:
        return store::Extend{key, operation.holder, kMaxLease};
      case Kind::kUnlock:
        break;
    }
    return store::Unlock{key, operation.holder};
  }

  static void Record(Operation operation, const StoreReply& reply,
                     std::array<Knowledge, 2>& known_of_pair, std::vector<Operation>& history) {
    if (reply.error == ErrorCode::kUnavailable) {
      if (!reply.maybe_done || operation.kind == Kind::kGet) return;
      operation.returned = Operation::kNever;
      history.push_back(std::move(operation));
      return;
    }
    operation.error = reply.error;
    if (reply.record.data != nullptr) operation.seen = *reply.record.data;
    operation.version = reply.record.version;
    operation.removed = reply.removed;
    operation.token = reply.fence;
    const auto place = static_cast<std::size_t>(operation.place);
    const bool moved = operation.kind == Kind::kRegenerate;
    if (operation.version != 0) {
      known_of_pair[moved ? 1 - place : place].version = operation.version;
    }
    Knowledge& known = known_of_pair[place];
    if (operation.kind == Kind::kLock) {
      if (reply.error) known.holder = 0;
      if (!reply.error) known.token = reply.fence;
    }
    history.push_back(std::move(operation));
  }

  const int client_;
  const ConcurrentOptions& options_;
  std::atomic<std::uint64_t>& clock_;
  SeededEntropy random_;
  std::vector<std::array<Knowledge, 2>> known_;
  std::vector<std::vector<Operation>> histories_;  // of each pair
};

// Calls work(client, store) on a thread for each client, once all have their stores.
template <typename Work>
void RunClients(const MakeStoreClient& make_client, int clients, Work work) {
  std::atomic<int> waiting = clients;
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      StoreCaller own(make_client(client));
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      work(client, std::move(own));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// One number for each client.
std::vector<int> DecodeCounts(const std::string& data) {
  std::istringstream text(data);
  std::vector<int> counts;
  for (int count = 0; text >> count;) counts.push_back(count);
  return counts;
}

std::string EncodeCounts(const std::vector<int>& counts) {
  std::ostringstream text;
  for (const int count : counts) text << count << " ";
  return text.str();
}

// Adds one at index `client` until it is `increments`; answers what went wrong.
std::string Count(int client, int increments, const RecordKey& key, StoreCaller& store) {
  SeededEntropy random(static_cast<std::uint64_t>(client) + 1);
  StoreReply current = store.Run(store::Get{key});
  int done = 0;
  for (int tries = 0; tries < 100 * increments + 1000; ++tries) {
    const bool is_unknown = current.error == ErrorCode::kUnavailable;
    if (is_unknown || current.record.data == nullptr) {
      if (current.error && !is_unknown) return testing::PrintToString(current);
      current = store.Run(store::Get{key});
      continue;
    }
    std::vector<int> counts = DecodeCounts(*current.record.data);
    int& own = counts[static_cast<std::size_t>(client)];
    if (own < done) return "an update was lost";
    done = own;
    if (done == increments) return "";
    ++own;
    std::this_thread::yield();
    current =
        store.Run(store::Put{key, EncodeCounts(counts), current.record.version, random.Next() | 1});
  }
  return "it never gets through";
}

}  // namespace

std::optional<std::string> RunConcurrentHistories(const MakeStoreClient& make_client,
                                                  const ConcurrentOptions& options) {
  std::atomic<std::uint64_t> clock = 1;
  std::vector<HistoryWriter> writers;
  for (int client = 0; client < options.clients; ++client) {
    writers.emplace_back(client, options, clock);
  }
  RunClients(make_client, options.clients, [&writers](int client, StoreCaller store) {
    writers[static_cast<std::size_t>(client)].Run(std::move(store));
  });
  for (std::size_t pair = 0; pair < HistoryWriter::PairsOf(options); ++pair) {
    std::vector<Operation> history;
    for (HistoryWriter& writer : writers) {
      for (Operation& operation : writer.histories()[pair]) history.push_back(std::move(operation));
    }
    if (const auto violation = FindViolation(std::move(history))) {
      return "seed " + std::to_string(options.seed) + ", pair " + std::to_string(pair) + ": " +
             *violation;
    }
  }
  return std::nullopt;
}

std::optional<std::string> RunManyHistories(const MakeStoreClient& make_client, int histories,
                                            ConcurrentOptions options) {
  if (const char* wanted = std::getenv("STORE_HISTORIES")) histories = std::atoi(wanted);
  for (int i = 1; i <= histories; ++i) {
    options.seed = static_cast<std::uint64_t>(i);
    options.prefix = "history " + std::to_string(i) + ", pair ";
    if (auto violation = RunConcurrentHistories(make_client, options)) return violation;
  }
  return std::nullopt;
}

std::optional<std::string> RunConcurrentCounters(const MakeStoreClient& make_client, int clients,
                                                 int increments) {
  const RecordKey key{"owner", "history", "counters"};
  const auto size = static_cast<std::size_t>(clients);
  StoreCaller first(make_client(clients));
  const StoreReply created =
      first.Run(store::Create{key, EncodeCounts(std::vector<int>(size)), kLong});
  if (created.error) return "no record to count in: " + testing::PrintToString(created);
  std::vector<std::string> troubles(size);
  RunClients(make_client, clients, [&](int client, StoreCaller store) {
    troubles[static_cast<std::size_t>(client)] = Count(client, increments, key, store);
  });
  for (const std::string& trouble : troubles) {
    if (!trouble.empty()) return trouble;
  }
  for (int tries = 0; tries < 100; ++tries) {
    const StoreReply counted = first.Run(store::Get{key});
    if (counted.error == ErrorCode::kUnavailable) continue;
    if (counted.error) return testing::PrintToString(counted);
    if (DecodeCounts(*counted.record.data) == std::vector<int>(size, increments)) {
      return std::nullopt;
    }
    return "the counts are " + *counted.record.data;
  }
  return "no answer";
}

}  // namespace mcp_session
