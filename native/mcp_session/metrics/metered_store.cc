#include "mcp_session/metrics/metered_store.h"

#include <algorithm>
#include <iterator>

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

constexpr std::string_view kOperations[] = {
    "create",     "get",  "put",  "touch",  "remove", "take",   "regenerate",
    "remove_all", "list", "lock", "extend", "unlock", "append", "read_events",
};
static_assert(std::size(kOperations) == std::variant_size_v<StoreCommand>);

// Whether and how much a command writes.
std::size_t BytesOf(const StoreCommand& command) {
  return std::visit(
      [](const auto& one) -> std::size_t {
        if constexpr (requires { one.data; }) return one.data.size();
        return 0;
      },
      command);
}

template <typename... Kinds>
constexpr bool IsOneOf(std::size_t operation) {
  return ((operation == StoreCommand(Kinds{}).index()) || ...);
}

}  // namespace

void DurationHistogram::Add(std::chrono::nanoseconds length) {
  const double seconds = std::chrono::duration<double>(length).count();
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts_[static_cast<std::size_t>(bucket - kBounds.begin())];
  seconds_ += seconds;
}

void DurationHistogram::Add(const DurationHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  seconds_ += other.seconds_;
}

std::uint64_t DurationHistogram::CountUpTo(std::size_t i) const {
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket <= i; ++bucket) sum += counts_[bucket];
  return sum;
}

void SizeHistogram::Add(std::size_t bytes) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), bytes);
  ++counts_[static_cast<std::size_t>(bucket - kBounds.begin())];
  bytes_ += bytes;
}

void SizeHistogram::Add(const SizeHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  bytes_ += other.bytes_;
}

std::uint64_t SizeHistogram::CountUpTo(std::size_t i) const {
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket <= i; ++bucket) sum += counts_[bucket];
  return sum;
}

void StoreMeasures::Add(const StoreMeasures& other) {
  for (const auto& [key, histogram] : other.durations) durations[key].Add(histogram);
  for (const auto& [operation, histogram] : other.sizes) sizes[operation].Add(histogram);
  for (const auto& [states, count] : other.transitions) transitions[states] += count;
  removed += other.removed;
  open += other.open;
}

std::string_view OperationName(std::size_t index) {
  MCPS_CHECK(index < std::size(kOperations));
  return kOperations[index];
}

std::string_view OutcomeName(const std::optional<ErrorCode>& error) {
  if (!error) return "ok";
  switch (*error) {
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kExpired:
      return "expired";
    case ErrorCode::kExists:
      return "exists";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kFenced:
      return "fenced";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kLockLost:
      return "lock_lost";
    case ErrorCode::kGap:
      return "gap";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kCapacity:
      return "capacity";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kMisconfigured:
      return "misconfigured";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kCancelled:
      return "cancelled";
    default:
      return "other";
  }
}

std::chrono::nanoseconds MeteredStore::SteadyClock() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

MeteredStore::MeteredStore(SessionStore& inner, Clock clock)
    : inner_(inner), clock_(std::move(clock)), state_(inner.Status().state) {}

void MeteredStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  NoteState();
  ++measures_.open;
  const std::uint64_t number =
      open_.Insert(Open{ticket, command.index(), clock_(), BytesOf(command)});
  inner_.Submit(StoreTicket{number}, std::move(command), now);
}

void MeteredStore::Drain(std::vector<StoreReply>* replies) {
  const std::size_t before = replies->size();
  inner_.Drain(replies);
  if (replies->size() == before) return;
  NoteState();
  const std::chrono::nanoseconds now = clock_();
  for (std::size_t i = before; i < replies->size(); ++i) {
    StoreReply& reply = (*replies)[i];
    const std::optional<Open> open = open_.Take(reply.ticket.number);
    MCPS_CHECK(open);  // rule 1 of the contract
    --measures_.open;
    reply.ticket = open->ticket;
    Note(*open, reply, now);
  }
}

void MeteredStore::Note(const Open& open, const StoreReply& reply, std::chrono::nanoseconds now) {
  const std::string_view operation = OperationName(open.operation);
  measures_.durations[{operation, OutcomeName(reply.error)}].Add(now - open.since);
  measures_.removed += reply.removed;
  if (reply.error) return;
  if (IsOneOf<store::Take>(open.operation)) ++measures_.removed;
  if (IsOneOf<store::Create, store::Put, store::Append>(open.operation)) {
    measures_.sizes[operation].Add(open.bytes);
  }
  if (IsOneOf<store::Get, store::Take>(open.operation) && reply.record.data != nullptr) {
    measures_.sizes[operation].Add(reply.record.data->size());
  }
}

void MeteredStore::Tick(Instant now) {
  NoteState();
  inner_.Tick(now);
}

void MeteredStore::NoteState() {
  const StoreState state = inner_.Status().state;
  if (state == state_) return;
  ++measures_.transitions[{state_, state}];
  state_ = state;
}

}  // namespace mcp_session
