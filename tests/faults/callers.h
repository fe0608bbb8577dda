// Callers: several users of one store, each busy with records of its own, all over one connection.
// Every reply is checked against what it can be (witness.h), and that it comes in time.
#ifndef TESTS_FAULTS_CALLERS_H_
#define TESTS_FAULTS_CALLERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/store/store.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/witness.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {

class Callers {
 public:
  struct Options {
    std::size_t callers = 8;
    std::uint64_t seed = 1;
    std::string name = "a";  // in the ids, so that two of these do not meet
    Millis command_timeout = Seconds(1);
    std::size_t max_data = 3000;
    bool ends_records = true;  // by Remove and Take
  };

  // `client` must outlive this, and runs nothing else while commands are open.
  Callers(FaultClient& client, const Options& options);

  // Runs the loop until a condition, with everybody at work; then until all commands are answered.
  void WorkUntil(const std::function<bool()>& condition);
  void WorkFor(Millis length);
  // The same, but leaves commands open.
  void WorkOnFor(Millis length);
  // Until so many more commands were answered.
  void Work(std::size_t commands);

  // Gets all records, ended ones too, until none of them is kUnavailable.
  void CheckAll();

  std::size_t done() const { return done_; }
  std::size_t unavailable() const { return unavailable_; }
  std::size_t maybe_done() const { return maybe_done_; }
  std::size_t live() const;

 private:
  enum class Step { kCreate, kGet, kPut, kTouch, kRemove, kTake };
  struct Owned {
    std::string owner;
    std::string id;
    Witness witness;
    RecordKey key() const { return {owner, "session", id}; }
  };
  struct Caller {
    std::vector<Owned> records;
    bool busy = false;
    // Of the command that is open.
    Step step = Step::kGet;
    std::size_t record = 0;
    std::string data;
    Instant due;
  };

  void Turn(bool start_more);
  void Start(std::size_t number);
  void Submit(std::size_t number, Step step, std::size_t record);
  void Check(Caller& caller, const StoreReply& reply);
  std::string NewData(const Owned& record);

  FaultClient& client_;
  const Options options_;
  SeededEntropy random_;
  std::vector<Caller> callers_;
  std::uint64_t written_ = 0;
  std::size_t done_ = 0;
  std::size_t unavailable_ = 0;
  std::size_t maybe_done_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_CALLERS_H_
