// MeteredStore: a store that measures the one it stands before: how long each command took from
// Submit to Drain and what came of it, and how often the state changed. What it counts goes out as
// text for Prometheus (store_metrics.h). Of keys nothing is ever looked at, of data the size.
#ifndef MCP_SESSION_METRICS_METERED_STORE_H_
#define MCP_SESSION_METRICS_METERED_STORE_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/slot_map.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

// How often something took how long.
class DurationHistogram {
 public:
  // Upper bounds of the buckets, in seconds; the last bucket has none.
  static constexpr std::array<double, 16> kBounds = {1e-7, 1e-6,   1e-5, 1e-4, 2.5e-4, 5e-4,
                                                     1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2,
                                                     1e-1, 2.5e-1, 5e-1, 1};
  void Add(std::chrono::nanoseconds length);
  void Add(const DurationHistogram& other);

  // How many were at most kBounds[i]; with i == kBounds.size(), all.
  std::uint64_t CountUpTo(std::size_t i) const;
  std::uint64_t count() const { return CountUpTo(kBounds.size()); }
  double seconds() const { return seconds_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double seconds_ = 0;
};

// How often something was how large.
class SizeHistogram {
 public:
  // Upper bounds of the buckets, in bytes; the last bucket has none.
  static constexpr std::array<std::size_t, 8> kBounds = {64,       256,      1 << 10,   4 << 10,
                                                         16 << 10, 64 << 10, 256 << 10, 1 << 20};
  void Add(std::size_t bytes);
  void Add(const SizeHistogram& other);

  // How many were at most kBounds[i]; with i == kBounds.size(), all.
  std::uint64_t CountUpTo(std::size_t i) const;
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  std::uint64_t bytes_ = 0;
};

// "create", "get", ... by the index of StoreCommand.
std::string_view OperationName(std::size_t index);
// "ok", "not_found", ...: a closed list; what no store answers is "other".
std::string_view OutcomeName(const std::optional<ErrorCode>& error);

// What a MeteredStore has counted, or several together.
struct StoreMeasures {
  // By operation and outcome; only what there was.
  using Durations = std::map<std::pair<std::string_view, std::string_view>, DurationHistogram>;
  Durations durations;

  // Of data that was written (create, put, append) or read (get, take), by operation; only what
  // there was.
  using Sizes = std::map<std::string_view, SizeHistogram>;
  Sizes sizes;

  // Records that commands ended: Remove, RemoveOwned, Take.
  std::uint64_t removed = 0;

  // How often the state was another one than the last time it was looked at, at each command; by
  // the states before and after.
  using Transitions = std::map<std::pair<StoreState, StoreState>, std::uint64_t>;
  Transitions transitions;

  // Commands that are not answered yet.
  std::size_t open = 0;

  void Add(const StoreMeasures& other);
};

class MeteredStore final : public SessionStore {
 public:
  using Clock = std::function<std::chrono::nanoseconds()>;

  // `inner` must outlive this, which takes its OnReady and is the only one to use it. `clock` never
  // goes back; by default it is the steady clock.
  explicit MeteredStore(SessionStore& inner, Clock clock = SteadyClock);

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override { inner_.OnReady(std::move(ready)); }
  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override;
  StoreStatus Status() const override { return inner_.Status(); }

  // On the loop's thread.
  const StoreMeasures& measures() const { return measures_; }

 private:
  static std::chrono::nanoseconds SteadyClock();
  void NoteState();

  struct Open {
    StoreTicket ticket;
    std::size_t operation = 0;
    std::chrono::nanoseconds since{};
    std::size_t bytes = 0;  // of what is to be written
  };
  void Note(const Open& open, const StoreReply& reply, std::chrono::nanoseconds now);

  SessionStore& inner_;
  Clock clock_;
  SlotMap<Open> open_;  // by the ticket that `inner_` sees
  StoreMeasures measures_;
  StoreState state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_METRICS_METERED_STORE_H_
