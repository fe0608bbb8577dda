// MutantStore: a MemorySessionStore with one bug, seeded to see that the contract finds it.
#ifndef TESTS_STORE_MUTANTS_MUTANT_STORE_H_
#define TESTS_STORE_MUTANTS_MUTANT_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {

// What a bug does. Each member does nothing unless a bug overrides it.
class Bug {
 public:
  virtual ~Bug() = default;

  // Runs a command on the store behind, which answers at once.
  using Run = std::function<StoreReply(StoreCommand)>;

  // Changes a command before it is done.
  virtual void Before(StoreCommand& command, const Run& run);
  // Changes the reply to `command`, which is as it was submitted. Not called for waits.
  virtual void After(const StoreCommand& command, StoreReply& reply, const Run& run);
  // Changes what Drain is about to answer.
  virtual void Drain(std::vector<StoreReply>& replies);
};

using MakeBug = std::function<std::unique_ptr<Bug>()>;

// The bugs by name, in the order they are tried.
struct NamedBug {
  std::string name;
  MakeBug make;
};
std::vector<NamedBug> BugsInRecords();  // and in versions, ends and owners
std::vector<NamedBug> BugsInExtras();   // locks, streams, write ids, lists and replies

class MutantStore final : public SessionStore {
 public:
  MutantStore(const MemoryStoreOptions& options, std::unique_ptr<Bug> bug);

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override { inner_.OnReady(std::move(ready)); }
  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override;
  StoreStatus Status() const override { return inner_.Status(); }

 private:
  CountingEntropy entropy_;
  MemorySessionStore inner_;
  std::unique_ptr<Bug> bug_;
  std::vector<StoreReply> replies_;
};

// The key of a command; nothing if it has none.
const RecordKey* KeyOf(const StoreCommand& command);

// A key that outlives its command.
using OwnedKey = std::tuple<std::string, std::string, std::string>;
OwnedKey Own(const RecordKey& key);
RecordKey View(const OwnedKey& key);

}  // namespace mcp_session

#endif  // TESTS_STORE_MUTANTS_MUTANT_STORE_H_
