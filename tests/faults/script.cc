#include "tests/faults/script.h"

#include <algorithm>
#include <utility>

#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr Lifetime kLong{.idle_ttl = Hours(1)};

}  // namespace

const Script::Line Script::kLines[kLength] = {
    {Kind::kCreate, 'a'},
    {Kind::kGet, 'a'},
    {Kind::kPut, 'a'},
    {Kind::kPutSeen, 'a'},
    {Kind::kTouch, 'a'},
    {Kind::kAppend, 'a'},
    {Kind::kAppend, 'a'},
    {Kind::kRead, 'a'},
    {Kind::kLock, 'a', 0, 1},
    {Kind::kLock, 'a', 0, 2},
    {Kind::kPutUnder, 'a', 0, 1},
    {Kind::kExtend, 'a', 0, 1},
    {Kind::kAppend, 'a'},
    {Kind::kGet, 'a'},
    {Kind::kCreate, 'b'},
    {Kind::kPutSeen, 'b'},
    {Kind::kList, 'a'},
    {Kind::kUnlock, 'a', 0, 1},
    {Kind::kUnlock, 'a', 0, 1},
    {Kind::kLock, 'a', 0, 2},
    {Kind::kPutUnder, 'a', 0, 1},
    {Kind::kPutUnder, 'a', 0, 2},
    {Kind::kExtend, 'a', 0, 1},
    {Kind::kUnlock, 'a', 0, 2},
    {Kind::kMove, 'a', 'c'},
    {Kind::kGet, 'a'},
    {Kind::kGet, 'c'},
    {Kind::kRead, 'c'},
    {Kind::kAppend, 'c'},
    {Kind::kPutSeen, 'c'},
    {Kind::kCreate, 'c'},
    {Kind::kMove, 'b', 'c'},
    {Kind::kTouch, 'b'},
    {Kind::kTake, 'b'},
    {Kind::kTake, 'b'},
    {Kind::kCreate, 'b'},
    {Kind::kAppend, 'b'},
    {Kind::kRead, 'b'},
    {Kind::kLock, 'b', 0, 3},
    {Kind::kRemove, 'b'},
    {Kind::kRemove, 'b'},
    {Kind::kCreate, 'b'},
    {Kind::kExtend, 'b', 0, 3},
    {Kind::kPut, 'b'},
    {Kind::kUnlock, 'b', 0, 3},
    {Kind::kMove, 'b', 'a'},
    {Kind::kGet, 'a'},
    {Kind::kList, 'a'},
    {Kind::kRemove, 'c'},
    {Kind::kGet, 'c'},
};

Script::Script(std::string name) : name_(std::move(name)), owner_("hush-owner-" + name_) {
  for (const char record : {'a', 'b', 'c'}) ids_[record] = "hush-" + name_ + "-" + record;
}

RecordKey Script::Key(char record) const { return {owner_, "session", ids_.at(record)}; }

std::string Script::Data(int index) const { return "hush-" + name_ + " #" + std::to_string(index); }

std::uint64_t Script::FenceOf(std::uint64_t who) const {
  const auto found = fences_.find(who);
  return found == fences_.end() ? 0 : found->second;
}

StoreCommand Script::Command(int index) {
  const Line& line = kLines[index];
  const RecordKey key = Key(line.record);
  switch (line.kind) {
    case Kind::kCreate:
      return store::Create{key, Data(index), kLong};
    case Kind::kGet:
      return store::Get{key};
    case Kind::kPut:
      return store::Put{key, Data(index), std::nullopt};
    case Kind::kPutSeen:
      return store::Put{key, Data(index), versions_[line.record]};
    case Kind::kPutUnder:
      return store::Put{
          .key = key, .data = Data(index), .expected = std::nullopt, .fence = FenceOf(line.who)};
    case Kind::kTouch:
      return store::Touch{key};
    case Kind::kRemove:
      return store::Remove{key};
    case Kind::kTake:
      return store::Take{key};
    case Kind::kMove:
      return store::Regenerate{key, Key(line.other)};
    case Kind::kAppend:
      return store::Append{key, Data(index)};
    case Kind::kRead:
      return store::ReadEvents{key};
    case Kind::kLock:
      return store::Lock{key, line.who, kMaxLease};
    case Kind::kExtend:
      return store::Extend{key, line.who, kMaxLease};
    case Kind::kUnlock:
      return store::Unlock{key, line.who};
    case Kind::kList:
      return store::List{key.owner, key.kind};
  }
  return {};
}

Script::Answer Script::Carry(int index, World* world) const {
  const Line& line = kLines[index];
  const auto found = world->records.find(line.record);
  StoredRecord* const record = found == world->records.end() ? nullptr : &found->second;
  const auto held = world->locks.find(line.record);
  const std::uint64_t holder = held == world->locks.end() ? 0 : held->second;
  const auto write = [&]() -> Answer {
    record->data = Data(index);
    record->seen = true;
    return {.data = record->data};
  };
  switch (line.kind) {
    case Kind::kList:
      return {.listed = world->records.size()};
    case Kind::kLock:
      if (holder != 0 && holder != line.who) return {.error = ErrorCode::kLocked};
      world->locks[line.record] = line.who;
      // Later holders have higher numbers, and tokens.
      if (record != nullptr) record->fence = line.who;
      return {};
    case Kind::kExtend:
    case Kind::kUnlock:
      if (holder != line.who) return {.error = ErrorCode::kLockLost};
      if (line.kind == Kind::kUnlock) world->locks.erase(line.record);
      return {};
    case Kind::kCreate:
      if (record != nullptr) return {.error = ErrorCode::kExists};
      world->records[line.record] = {.data = Data(index), .seen = true};
      return {.data = Data(index)};
    case Kind::kRemove:
      world->records.erase(line.record);
      return {.removed = record == nullptr ? 0 : 1};
    default:
      break;
  }
  if (record == nullptr) return {.error = ErrorCode::kNotFound};
  switch (line.kind) {
    case Kind::kGet:
      record->seen = true;
      return {.data = record->data};
    case Kind::kPutSeen:
      if (record->seen) return write();
      record->seen = true;
      return {.error = ErrorCode::kConflict, .data = record->data};
    case Kind::kPutUnder:
      if (FenceOf(line.who) != 0 && line.who < record->fence) {
        return {.error = ErrorCode::kFenced};
      }
      return write();
    case Kind::kPut:
      return write();
    case Kind::kTake: {
      const std::string data = record->data;
      world->records.erase(line.record);
      return {.data = data};
    }
    case Kind::kMove: {
      if (world->records.contains(line.other)) return {.error = ErrorCode::kExists};
      StoredRecord moved = std::move(*record);
      moved.seen = true;
      world->records.erase(line.record);
      world->records[line.other] = moved;
      return {.data = moved.data};
    }
    case Kind::kAppend:
      record->events.push_back(Data(index));
      return {};
    case Kind::kRead:
      return {.events = record->events};
    default:
      return {};
  }
}

bool Script::Fits(const Answer& answer, const StoreReply& reply) {
  if (answer.error != reply.error) return false;
  if (answer.data && (reply.record.data == nullptr || *reply.record.data != *answer.data)) {
    return false;
  }
  if (answer.removed && reply.removed != *answer.removed) return false;
  if (answer.listed && reply.listed.size() != *answer.listed) return false;
  if (!answer.events) return true;
  return std::equal(reply.events.begin(), reply.events.end(), answer.events->begin(),
                    answer.events->end(), [](const StreamEvent& event, const std::string& data) {
                      return event.data != nullptr && *event.data == data;
                    });
}

void Script::Learn(const Line& line, const StoreReply& reply) {
  if (reply.record.data != nullptr) {
    versions_[line.other != 0 && !reply.error ? line.other : line.record] = reply.record.version;
  }
  if (line.kind == Kind::kLock && !reply.error) fences_[line.who] = reply.fence;
}

std::string Script::Check(int index, const StoreReply& reply) {
  std::vector<World> worlds;
  const auto add = [&worlds](World world) {
    if (std::find(worlds.begin(), worlds.end(), world) == worlds.end()) {
      worlds.push_back(std::move(world));
    }
  };
  const bool unknown = reply.error == ErrorCode::kUnavailable;
  for (const World& world : worlds_) {
    if (unknown) add(world);
    if (unknown && !reply.maybe_done) continue;
    World after = world;
    const Answer answer = Carry(index, &after);
    if (!unknown) {
      if (Fits(answer, reply)) add(std::move(after));
      continue;
    }
    if (answer.error) continue;
    // Nobody was told the version it has now.
    for (auto& [name, record] : after.records) {
      const auto before = world.records.find(name);
      record.seen = before != world.records.end() && before->second.seen &&
                    before->second.data == record.data;
    }
    add(std::move(after));
  }
  if (worlds.empty()) return "not one of what can be: " + testing::PrintToString(reply);
  worlds_ = std::move(worlds);
  if (!unknown) Learn(kLines[index], reply);
  return {};
}

}  // namespace mcp_session
