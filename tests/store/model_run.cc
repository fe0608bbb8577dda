#include "tests/store/model_run.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <tuple>

#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxRecordBytes = 40;
constexpr std::size_t kMaxRecordsPerOwner = 9;

// There are 60 keys; the dead may stay where they are for a while.
constexpr std::size_t kFewRecords = 25, kManyRecords = 1000;

ModelLimits ModelLimitsOf(const ModelBackend& backend, bool tight) {
  return {.max_records = tight && backend.backend.caps_records ? kFewRecords : kManyRecords,
          .max_records_per_owner = kMaxRecordsPerOwner,
          .max_record_bytes = kMaxRecordBytes};
}

RecordKey Views(const ModelKey& key) {
  return {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
}

template <typename T>
const T& OneOf(Choices& choices, const std::vector<T>& values) {
  return values[choices.Below(values.size())];
}

}  // namespace

StoreLimits LimitsOf(const ModelBackend& backend, bool tight, std::size_t runs) {
  const ModelLimits limits = ModelLimitsOf(backend, tight);
  return {.max_record_bytes = limits.max_record_bytes,
          .max_records = limits.max_records * runs,
          .max_records_per_owner = limits.max_records_per_owner};
}

ModelRun::ModelRun(const ModelBackend& backend, bool tight, StoreUnderTest& store,
                   std::uint64_t first_ticket)
    : backend_(backend),
      under_test_(store),
      model_(ModelLimitsOf(backend, tight)),
      last_ticket_(first_ticket) {}

void ModelRun::Start(const Step& step) {
  difference_.clear();
  has_ticked_ = step.action == Action::kTick;
  lists_ = step.action == Action::kList;
  model_.SetNow(under_test_.Now());
  if (step.action < Action::kTick) {
    StartCommand(step);
  } else {
    TakeTime(step);
  }
}

void ModelRun::Hear(StoreReply reply) {
  if (!asked_ || reply.ticket.number != asked_->ticket) {
    late_.push_back(std::move(reply));
    return;
  }
  const Asked asked = *std::exchange(asked_, std::nullopt);
  longest_ = std::max(longest_, under_test_.Now() - asked.since);
  if (lists_) {
    pages_[{std::get<0>(asked.key), std::get<1>(asked.key)}] = {reply.cursor,
                                                                asked.model.listed_up_to};
  }
  difference_ += Compare(asked.key, reply, asked.model);
}

std::string ModelRun::End() {
  if (asked_) return "there is no reply; ";
  for (const StoreReply& reply : std::exchange(late_, {})) difference_ += CompareLate(reply);
  return difference_ + FindOverdue(has_ticked_);
}

std::string ModelRun::Finish() {
  if (!backend_.has_manual_clock) return "";
  under_test_.Wait(kMaxLifetime);
  SessionStore& store = under_test_.store();
  store.Tick(under_test_.Now());
  for (int i = 0; i < 100 && store.NextDeadline() != kNever; ++i) {
    const Millis left = store.NextDeadline() - under_test_.Now();
    under_test_.Wait(std::max(left, Millis{0}));
    store.Tick(under_test_.Now());
  }
  if (store.NextDeadline() != kNever) return "there is always something to do";
  model_.SetNow(under_test_.Now());
  Collect();
  std::string difference;
  for (const StoreReply& reply : std::exchange(late_, {})) difference += CompareLate(reply);
  if (!waiting_.empty()) difference += "a read was never answered";
  for (const auto& [key, tokens] : tokens_) {
    const std::uint64_t ticket = Submit(store::Unlock{Views(key), 1});
    Collect();
    if (late_.size() != 1 || late_[0].ticket.number != ticket ||
        late_[0].error != ErrorCode::kLockLost) {
      difference += "a lock has no end";
    }
    late_.clear();
  }
  if (difference.empty() && backend_.find_remains) difference = backend_.find_remains(under_test_);
  return difference;
}

void ModelRun::StartCommand(const Step& step) {
  const ModelKey& model_key = step.key;
  const RecordKey key = Views(model_key);
  Choices choices(step.choice);
  const std::string data = DataOf(choices);
  const std::uint64_t write_id = choices.Below(3) == 0 ? 1 + choices.Below(3) : 0;
  const std::uint64_t holder = 1 + choices.Below(3);
  const auto keep = static_cast<std::size_t>(1 + choices.Below(6));
  const Millis lease = LeaseOf(choices);
  switch (step.action) {
    case Action::kCreate: {
      const Lifetime lifetime = LifetimeOf(choices);
      return Ask(model_key, store::Create{key, data, lifetime, write_id},
                 model_.Create(model_key, data, lifetime, write_id));
    }
    case Action::kGet:
      return Ask(model_key, store::Get{key}, model_.Get(model_key));
    case Action::kPut: {
      const auto expected = VersionOf(model_key, choices);
      const std::uint64_t fence = FenceOf(model_key, choices);
      return Ask(model_key, store::Put{key, data, expected, write_id, fence},
                 model_.Put(model_key, data, expected, write_id, fence));
    }
    case Action::kTouch:
      return Ask(model_key, store::Touch{key}, model_.Touch(model_key));
    case Action::kRemove: {
      const auto expected = VersionOf(model_key, choices);
      const std::uint64_t fence = FenceOf(model_key, choices);
      return Ask(model_key, store::Remove{key, expected, fence},
                 model_.Remove(model_key, expected, fence));
    }
    case Action::kTake:
      return Ask(model_key, store::Take{key}, model_.Take(model_key));
    case Action::kRegenerate:
      return Ask(step.to, store::Regenerate{key, Views(step.to), write_id},
                 model_.Regenerate(model_key, step.to, write_id));
    case Action::kRemoveOwned:
      return Ask(model_key, store::RemoveOwned{key.owner},
                 model_.RemoveOwned(std::get<0>(model_key)));
    case Action::kList:
      return StartList(model_key, choices);
    case Action::kLock:
      return Ask(model_key, store::Lock{key, holder, lease}, model_.Lock(model_key, holder, lease));
    case Action::kExtend:
      return Ask(model_key, store::Extend{key, holder, lease},
                 model_.Extend(model_key, holder, lease));
    case Action::kUnlock:
      return Ask(model_key, store::Unlock{key, holder}, model_.Unlock(model_key, holder));
    case Action::kAppend:
      return Ask(model_key, store::Append{key, data, keep}, model_.Append(model_key, data, keep));
    default:
      return StartRead(model_key, choices);
  }
}

void ModelRun::StartRead(const ModelKey& key, Choices& choices) {
  static constexpr std::int64_t kWaits[] = {0, 0, 1, 300, 2000};
  const std::uint64_t after = AfterOf(key, choices);
  const std::size_t limit = 1 + choices.Below(6);
  const Millis wait{backend_.has_manual_clock ? kWaits[choices.Below(std::size(kWaits))] : 0};
  const store::ReadEvents command{Views(key), after, limit, wait};
  ModelReply model = model_.ReadEvents(key, after, limit);
  if (wait == Millis{} || model.error || !model.events.empty()) {
    return Ask(key, command, std::move(model));
  }
  const std::uint64_t ticket = Submit(command);
  waiting_[ticket] = {key, after, limit, model_.now() + wait, model_.Find(key)->order};
}

void ModelRun::StartList(const ModelKey& key, Choices& choices) {
  const auto& [owner, kind, id] = key;
  Page& page = pages_[{owner, kind}];
  const std::size_t limit = 1 + choices.Below(6);
  const bool go_on = choices.Below(3) != 0 && page.listed_up_to != 0;
  if (!go_on) page = {};
  Ask(key, store::List{owner, kind, page.cursor, limit},
      model_.List(owner, kind, limit, page.listed_up_to));
}

void ModelRun::TakeTime(const Step& step) {
  static constexpr std::int64_t kWaits[] = {0, 1, 50, 99, 100, 101, 400, 899, 900, 1000, 61'000};
  Choices choices(step.choice);
  if (step.action == Action::kTick) {
    under_test_.store().Tick(under_test_.Now());
  } else if (step.action == Action::kWait) {
    under_test_.Wait(Millis{kWaits[choices.Below(std::size(kWaits))]});
  } else {
    std::vector<Instant> ends;
    for (const auto& [key, record] : model_.records()) ends.push_back(record.End());
    for (const auto& [key, lock] : model_.locks()) ends.push_back(lock.end);
    for (const auto& [key, until] : model_.remembered()) ends.push_back(until);
    if (ends.empty()) return;
    const Instant end = OneOf(choices, ends) + Millis{static_cast<int>(choices.Below(3)) - 1};
    under_test_.Wait(std::max(end - under_test_.Now(), Millis{0}));
  }
  model_.SetNow(under_test_.Now());
}

std::string ModelRun::DataOf(Choices& choices) const {
  const std::size_t size = choices.Below(kMaxRecordBytes + 2);  // one more is too large
  return std::string(size, static_cast<char>(choices.Below(256)));
}

Lifetime ModelRun::LifetimeOf(Choices& choices) const {
  static constexpr std::array<std::int64_t, 4> kIdle = {1000, 1000, 1000, 3'600'000};
  static constexpr std::array<std::int64_t, 4> kLife = {1500, 1500, 1500, 90'000};
  static constexpr std::array<std::int64_t, 4> kRemember = {0, 0, 400, 5000};
  Millis idle{kIdle[choices.Below(4)]}, life{kLife[choices.Below(4)]};
  if (!backend_.has_manual_clock) idle = Hours(1), life = Hours(2);
  Lifetime lifetime{.remember = Millis{kRemember[choices.Below(4)]}};
  const std::uint64_t which = choices.Below(3);
  if (which != 1) lifetime.idle_ttl = idle;
  if (which != 0) lifetime.max_life = life;
  return lifetime;
}

Millis ModelRun::LeaseOf(Choices& choices) const {
  static constexpr std::array<std::int64_t, 4> kLeases = {1, 500, 2000, 60'000};
  const std::uint64_t which = choices.Below(4);
  return backend_.has_manual_clock ? Millis{kLeases[which]} : kMaxLease;
}

// The current one, one of before, one that never was, or none.
std::optional<std::uint64_t> ModelRun::VersionOf(const ModelKey& key, Choices& choices) {
  const std::vector<std::uint64_t>& versions = versions_[key];
  switch (choices.Below(6)) {
    case 0:
    case 1:
      return std::nullopt;
    case 2:
      return versions.empty() ? 0 : OneOf(choices, versions);
    case 3:
      return versions.empty() ? 1 : versions.back() + 1;
    default:
      return versions.empty() ? 0 : versions.back();
  }
}

// One that is certainly too old, one that is certainly not, or none.
std::uint64_t ModelRun::FenceOf(const ModelKey& key, Choices& choices) {
  const std::vector<std::uint64_t>& tokens = tokens_[key];
  const ModelRecord* record = model_.Find(key);
  const std::uint64_t which = choices.Below(4);
  if (which == 0 || tokens.empty()) return 0;
  const std::uint64_t token = which == 1 ? tokens.back() : OneOf(choices, tokens);
  if (record == nullptr) return token;
  if (!record->fence_is_sure) return 0;
  // Of a record made after the lock was given back it is not promised what it knows of old ones.
  return token < record->fence || token == tokens.back() ? token : 0;
}

std::uint64_t ModelRun::AfterOf(const ModelKey& key, Choices& choices) {
  const ModelRecord* record = model_.Find(key);
  const std::uint64_t which = choices.Below(5);
  if (which == 0) return 0;
  if (which == 1) return std::uint64_t{1} << 60;
  if (record == nullptr || !record->stream.started) return 0;
  const ModelStream& stream = record->stream;
  if (which == 2) return stream.last;
  return stream.base + choices.Below(stream.last - stream.base + 3);
}

std::uint64_t ModelRun::Submit(StoreCommand command) {
  under_test_.store().Submit({++last_ticket_}, std::move(command), under_test_.Now());
  return last_ticket_;
}

void ModelRun::Ask(const ModelKey& key, StoreCommand command, ModelReply model) {
  const Instant since = model_.now();
  asked_ = Asked{Submit(std::move(command)), key, std::move(model), since};
}

void ModelRun::Collect() { under_test_.store().Drain(&late_); }

}  // namespace mcp_session
