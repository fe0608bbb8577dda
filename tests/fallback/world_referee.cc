// What the referee of a SimulatedWorld makes of what he sees.
#include <gtest/gtest.h>

#include <utility>

#include "tests/fallback/simulated_world.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

bool IsLocal(std::uint64_t version) { return (version >> 52 & 1) != 0; }

}  // namespace

void SimulatedWorld::Look(const Open* acting) {
  std::map<Name, Seen> now;
  for (const Name& name : names_) {
    const StoreReply found = Elsewhere(store::Get{name.key()});
    if (!found.error) now[name] = Seen{*found.record.data, found.record.version};
  }
  const std::map<Name, Seen> before = std::exchange(backend_, now);
  for (const auto& [name, seen] : before) {
    if (now.find(name) == now.end()) LookAtGone(name, seen, acting);
  }
  for (const auto& [name, seen] : now) {
    const auto at = before.find(name);
    if (at == before.end()) LookAtNew(name, seen, acting);
    if (at != before.end() && at->second != seen) LookAtChanged(name, at->second, seen, acting);
    seen_in_backend_.insert(seen.data);
  }
}

void SimulatedWorld::LookAtGone(const Name& name, const Seen& before, const Open* acting) {
  const bool moves = acting != nullptr && acting->kind == Kind::kRegenerate && acting->name == name;
  const bool ends = acting != nullptr && acting->name == name &&
                    (acting->kind == Kind::kRemove || acting->kind == Kind::kTake);
  const bool ends_all =
      acting != nullptr && acting->kind == Kind::kRemoveOwned && acting->name.owner == name.owner;
  EXPECT_TRUE(moves || ends || ends_all) << before.data << " is gone";
  if (moves) {
    const auto arrived = backend_.find(acting->to);
    EXPECT_TRUE(arrived != backend_.end() && arrived->second.data == before.data)
        << before.data << " went nowhere";
  } else {
    dead_.insert(before.data);
  }
  if (!ends_all) EndLocal(name);  // the backend was asked, so there was none
}

void SimulatedWorld::LookAtNew(const Name& name, const Seen& now, const Open* acting) {
  EXPECT_EQ(dead_.count(now.data), 0u) << now.data << " came back";
  const bool is_created = acting != nullptr && acting->kind == Kind::kCreate &&
                          acting->name == name && acting->data == now.data;
  const bool has_moved = acting != nullptr && acting->kind == Kind::kRegenerate &&
                         acting->to == name && acting->backend &&
                         acting->backend->data == now.data && backend_.count(acting->name) == 0;
  const auto local = local_.find(name);
  const bool was_local = local != local_.end() && local->second.data == now.data;
  EXPECT_TRUE(is_created || has_moved || was_local) << now.data << " is nobody's";
}

void SimulatedWorld::LookAtChanged(const Name& name, const Seen& before, const Seen& now,
                                   const Open* acting) {
  const bool is_put = acting != nullptr && acting->kind == Kind::kPut && acting->name == name &&
                      acting->data == now.data &&
                      (!acting->expected || *acting->expected == before.version);
  // Its Create had been done already, and what was written since is brought after it.
  const auto local = local_.find(name);
  const bool is_brought = local != local_.end() && local->second.has_older_state &&
                          local->second.data == now.data &&
                          local->second.before.count(before.data) != 0;
  EXPECT_TRUE(is_put || is_brought) << before.data << " was overwritten by " << now.data;
  EXPECT_TRUE(!is_put || acting->fence == 0 || acting->fence >= acting->highest_token)
      << now.data << " is written under an old token";
  dead_.insert(before.data);
}

// What one RemoveOwned did to local records is done before it is answered.
void SimulatedWorld::NoteRemovedOwned(const std::string& owner, std::uint64_t removed_before) {
  std::vector<Name> owned;
  for (const auto& [name, local] : local_) {
    if (name.owner == owner) owned.push_back(name);
  }
  const std::uint64_t removed = store_->counters().removed - removed_before;
  for (const Name& name : owned) {
    if (removed == owned.size()) {
      RemoveLocal(name);
    } else {
      local_[name].maybe_removed = true;
    }
  }
}

void SimulatedWorld::Learn(const Open& open, const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable || reply.error == ErrorCode::kMisconfigured) {
    if (open.kind == Kind::kCreate && reply.maybe_done && open.write_id != 0) {
      lost_creates_[open.name] = open;
    }
    return;
  }
  SCOPED_TRACE(testing::Message() << "command " << open.name.owner << "/" << open.name.id << " "
                                  << testing::PrintToString(reply)
                                  << (open.backend ? ", the backend had " + open.backend->data : "")
                                  << (open.local ? ", here was " + *open.local : "") << " kind "
                                  << static_cast<int>(open.kind));
  CheckTruth(open, reply);
  const Name& at = open.kind == Kind::kRegenerate && !reply.error ? open.to : open.name;
  if (reply.record.version != 0) versions_[at] = reply.record.version;
  // Who is told of a session makes things in it.
  if (at.kind == "session" && !reply.error && known_sessions_.insert(at.id).second) {
    names_.push_back({"session:" + at.id, "cart", "a"});
    names_.push_back({"session:" + at.id, "cart", "b"});
  }
  if (reply.record.version != 0 && !IsLocal(reply.record.version)) EndLocal(open.name);
  if (open.kind == Kind::kLock && !reply.error) {
    EndLocal(open.name);
    tokens_[open.name].push_back(reply.fence);
    holders_[open.name] = open.holder;
  }
  if (!reply.error) LearnLocal(open, reply);
  // Who was answered does not ask again.
  if (open.kind == Kind::kCreate) lost_creates_.erase(open.name);
}

// What is answered was so when it was asked.
void SimulatedWorld::CheckTruth(const Open& open, const StoreReply& reply) {
  const bool is_local = IsLocal(reply.record.version);
  const bool was_there = open.backend.has_value() || open.local.has_value();
  // A local record of which the referee does not know whether it is left.
  const bool is_sure = !open.local || seen_in_backend_.count(*open.local) == 0;
  const std::string data = reply.record.data != nullptr ? *reply.record.data : "";
  if (reply.error == ErrorCode::kNotFound || (open.kind == Kind::kRemove && reply.removed == 0)) {
    if (open.kind == Kind::kPut && open.fence != 0) return;
    EXPECT_FALSE(open.backend.has_value()) << open.backend->data << " was denied";
    const auto local = local_.find(open.name);
    const bool may_be_gone = local == local_.end() || local->second.maybe_removed;
    EXPECT_TRUE(!open.local || !is_sure || may_be_gone) << *open.local << " was denied";
    return;
  }
  switch (open.kind) {
    case Kind::kGet:
    case Kind::kTake:
      if (is_local) {
        EXPECT_EQ(data, open.local.value_or(""));
      } else {
        EXPECT_EQ(data, open.backend.value_or(Seen{}).data);
      }
      EXPECT_TRUE(open.kind == Kind::kGet || taken_.insert(data).second) << data << " twice";
      break;
    case Kind::kTouch:
    case Kind::kRemove:
    case Kind::kPut:
    case Kind::kRegenerate:
      EXPECT_TRUE(was_there) << "done to nothing";
      EXPECT_TRUE(reply.error || !is_local || open.fence == 0) << "no lock is known here";
      break;
    case Kind::kCreate:
      if (reply.error == ErrorCode::kExists) {
        EXPECT_TRUE(was_there) << "nothing is there";
      } else if (!is_local) {
        EXPECT_TRUE(!open.backend || open.backend->data == data) << "overwritten";
      }
      break;
    case Kind::kList: {
      std::map<std::string, std::string> listed;
      bool lists_local = false;
      for (const Record& record : reply.listed) {
        listed[record.id] = *record.data;
        lists_local |= IsLocal(record.version);
      }
      if (lists_local) {
        for (const auto& [id, value] : listed) {
          const auto local = local_.find({open.name.owner, "cart", id});
          EXPECT_TRUE(local != local_.end() && local->second.data == value) << value;
        }
      } else {
        EXPECT_EQ(listed, open.listed);
        EXPECT_FALSE(open.owner_has_local) << "the list leaves out what is here";
      }
      break;
    }
    case Kind::kLock:
      EXPECT_TRUE(reply.error || reply.fence > open.highest_token) << "an old token";
      break;
    default:
      break;
  }
}

void SimulatedWorld::LearnLocal(const Open& open, const StoreReply& reply) {
  const bool is_local = IsLocal(reply.record.version);
  const auto local = local_.find(open.name);
  switch (open.kind) {
    case Kind::kCreate: {
      const auto lost = lost_creates_.find(open.name);
      const bool again = lost != lost_creates_.end() && lost->second.write_id == open.write_id;
      if (is_local && local != local_.end() && local->second.data == open.data) return;
      if (is_local) {
        // The one before went to the backend, or was lost there.
        EndLocal(open.name);
        local_[open.name] = {.data = open.data, .before = {}, .has_older_state = again};
      }
      return;
    }
    case Kind::kPut:
      if (!is_local || local == local_.end()) return;
      if (!local->second.has_older_state) dead_.insert(local->second.data);
      local->second.before.insert(std::exchange(local->second.data, open.data));
      return;
    case Kind::kRegenerate:
      if (!is_local || local == local_.end()) return;
      EndLocal(open.to);
      local_[open.to] = local->second;
      local_.erase(open.name);
      return;
    case Kind::kTake:
      if (is_local) RemoveLocal(open.name);
      return;
    case Kind::kRemove:
      versions_.erase(open.name);
      if (reply.removed == 1 && local != local_.end()) RemoveLocal(open.name);
      return;
    default:
      return;
  }
}

// There is no local record any more, and nobody removed it.
void SimulatedWorld::EndLocal(const Name& name) {
  const auto local = local_.find(name);
  if (local == local_.end()) return;
  if (seen_in_backend_.count(local->second.data) == 0) {
    ++(local->second.maybe_removed ? unclear_ : missing_);
  } else if (overwritten_.count(local->second.data) != 0) {
    ++unclear_;  // it came there unheard, and then the other process had its own
  }
  local_.erase(local);
}

void SimulatedWorld::RemoveLocal(const Name& name) {
  const auto local = local_.find(name);
  if (local == local_.end()) return;
  EXPECT_FALSE(local->second.has_older_state) << local->second.data << " may be in the backend";
  dead_.insert(local->second.data);
  local_.erase(name);
}

}  // namespace mcp_session
