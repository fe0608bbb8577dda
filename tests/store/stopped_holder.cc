#include "tests/store/stopped_holder.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "tests/store/matchers.h"
#include "tests/store/store_caller.h"

namespace mcp_session {
namespace {

constexpr Lifetime kLong{.idle_ttl = Hours(1)};
constexpr Millis kLease{100};
constexpr std::uint64_t kHolder = 1, kNextHolder = 2;

// What the process saw of one lock.
struct Report {
  std::uint64_t token = 0;  // 0: it was not granted, or nothing could be written under it
  // What it was answered after it had been stopped; done: kInternal.
  ErrorCode put = ErrorCode::kInternal;
  ErrorCode remove = ErrorCode::kInternal;
  ErrorCode extend = ErrorCode::kInternal;
  ErrorCode unlock = ErrorCode::kInternal;
};

std::string IdOf(int round, int lock) {
  return std::to_string(round) + ", " + std::to_string(lock);
}

RecordKey KeyOf(const std::string& id) { return {"", "stopped", id}; }

template <typename T>
void Send(int pipe, const T& value) {
  if (write(pipe, &value, sizeof value) != sizeof value) std::abort();
}

template <typename T>
bool Receive(int pipe, T* value) {
  return read(pipe, value, sizeof *value) == sizeof *value;
}

// The process: each number it is sent is a round, and is sent twice.
[[noreturn]] void Hold(const MakeStoreInProcess& make_store, int locks, int in, int out) {
  StoreCaller store(make_store());
  const auto outcome = [&store](StoreCommand command) {
    return store.Run(std::move(command)).error.value_or(ErrorCode::kInternal);
  };
  for (int round = 0; Receive(in, &round);) {
    std::vector<Report> reports(static_cast<std::size_t>(locks));
    for (int i = 0; i < locks; ++i) {
      Report& report = reports[static_cast<std::size_t>(i)];
      const std::string id = IdOf(round, i);
      const StoreReply granted = store.Run(store::Lock{KeyOf(id), kHolder, kLease});
      const StoreReply put =
          store.Run(store::Put{KeyOf(id), "holder", std::nullopt, 0, granted.fence});
      if (!granted.error && !put.error) report.token = granted.fence;
      Send(out, report);
    }
    if (!Receive(in, &round)) break;  // here it is stopped
    for (int i = 0; i < locks; ++i) {
      Report& report = reports[static_cast<std::size_t>(i)];
      const std::string id = IdOf(round, i);
      report.put = outcome(store::Put{KeyOf(id), "late", std::nullopt, 0, report.token});
      report.remove = outcome(store::Remove{KeyOf(id), std::nullopt, report.token});
      report.extend = outcome(store::Extend{KeyOf(id), kHolder, kLease});
      report.unlock = outcome(store::Unlock{KeyOf(id), kHolder});
      Send(out, report);
    }
  }
  _exit(0);
}

class Process {
 public:
  Process(const MakeStoreInProcess& make_store, int locks) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) std::abort();
    id_ = fork();
    if (id_ < 0) std::abort();
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(in[1]);
      close(out[0]);
      Hold(make_store, locks, in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  ~Process() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    close(in_);
    close(out_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Say(int round) { Send(in_, round); }
  bool Hear(Report* report) { return Receive(out_, report); }

  bool Stop() {
    int status = 0;
    return kill(id_, SIGSTOP) == 0 && waitpid(id_, &status, WUNTRACED) == id_ && WIFSTOPPED(status);
  }
  void GoOn() { kill(id_, SIGCONT); }

 private:
  pid_t id_ = -1;
  int in_ = -1;
  int out_ = -1;
};

// The next holder's part. The reply that granted the lock, or the last one that did not.
StoreReply TakeOver(StoreCaller& store, const RecordKey& key) {
  StoreReply reply;
  for (int tries = 0; tries < 1000; ++tries) {
    reply = store.Run(store::Lock{key, kNextHolder, kMaxLease});
    if (reply.error != ErrorCode::kLocked) break;
    store.Wait(Millis{5});
  }
  return reply;
}

std::string JudgeRound(StoreCaller& store, Process& process, int round, int locks) {
  for (int i = 0; i < locks; ++i) {
    const StoreReply made = store.Run(store::Create{KeyOf(IdOf(round, i)), "made", kLong});
    if (made.error) return "no record: " + testing::PrintToString(made);
  }
  process.Say(round);
  std::vector<Report> reports(static_cast<std::size_t>(locks));
  for (Report& report : reports) {
    if (!process.Hear(&report) || report.token == 0) return "the process has no lock";
  }
  if (!process.Stop()) return "the process cannot be stopped";
  process.Say(round);
  for (int i = 0; i < locks; ++i) {
    const std::string id = IdOf(round, i);
    const StoreReply granted = TakeOver(store, KeyOf(id));
    if (granted.error) return "the lock is not free: " + testing::PrintToString(granted);
    if (granted.fence <= reports[static_cast<std::size_t>(i)].token) return "an old token";
    if (i % 2 == 0) continue;  // to be granted it is enough
    const StoreReply put = store.Run(store::Put{KeyOf(id), "next", std::nullopt, 0, granted.fence});
    if (put.error) return "the next holder cannot write: " + testing::PrintToString(put);
  }
  process.GoOn();
  for (int i = 0; i < locks; ++i) {
    Report report;
    if (!process.Hear(&report)) return "the process does not go on";
    if (report.put != ErrorCode::kFenced) return "a late write is not fenced";
    if (report.remove != ErrorCode::kFenced) return "a late removal is not fenced";
    if (report.extend != ErrorCode::kLockLost) return "a lost lock is extended";
    if (report.unlock != ErrorCode::kLockLost) return "somebody else's lock is given back";
    const std::string id = IdOf(round, i);
    const StoreReply got = store.Run(store::Get{KeyOf(id)});
    if (got.error || *got.record.data != (i % 2 == 0 ? "holder" : "next")) {
      return "a record was spoilt: " + testing::PrintToString(got);
    }
    if (store.Run(store::Unlock{KeyOf(id), kNextHolder}).error) return "the next lost the lock";
  }
  return "";
}

}  // namespace

std::optional<std::string> RunStoppedHolder(const MakeStoreInProcess& make_store, int rounds,
                                            int locks) {
  Process process(make_store, locks);
  StoreCaller store(make_store());
  for (int round = 1; round <= rounds; ++round) {
    const std::string trouble = JudgeRound(store, process, round, locks);
    if (!trouble.empty()) return "round " + std::to_string(round) + ": " + trouble;
  }
  return std::nullopt;
}

}  // namespace mcp_session
