// Bugs in what becomes of records: who may write them, whose they are, when they end.
#include <cctype>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/store/mutants/mutant_store.h"

namespace mcp_session {
namespace {

constexpr Lifetime kAnHour{.idle_ttl = Hours(1)};

// A bug that only changes commands of one type.
template <typename Command>
class Rewrite final : public Bug {
 public:
  using Change = void (*)(Command&);
  explicit Rewrite(Change change) : change_(change) {}
  void Before(StoreCommand& command, const Run&) override {
    if (auto* concrete = std::get_if<Command>(&command)) change_(*concrete);
  }

 private:
  Change change_;
};

template <typename Command>
NamedBug RewriteBug(std::string name, void (*change)(Command&)) {
  return {std::move(name), [change] { return std::make_unique<Rewrite<Command>>(change); }};
}

// A bug that runs something else when a command ended with an error.
template <typename Command, ErrorCode kError>
class Instead final : public Bug {
 public:
  using Do = void (*)(const Command&, StoreReply&, const Run&);
  explicit Instead(Do action) : action_(action) {}
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* concrete = std::get_if<Command>(&command);
    if (concrete == nullptr || reply.error != kError) return;
    const StoreTicket ticket = reply.ticket;
    action_(*concrete, reply, run);
    reply.ticket = ticket;
  }

 private:
  Do action_;
};

template <typename Command, ErrorCode kError>
NamedBug InsteadBug(std::string name,
                    void (*action)(const Command&, StoreReply&, const Bug::Run&)) {
  return {std::move(name), [action] { return std::make_unique<Instead<Command, kError>>(action); }};
}

// A bug that changes replies to one type of command.
template <typename Command>
class Distort final : public Bug {
 public:
  using Change = void (*)(StoreReply&);
  explicit Distort(Change change) : change_(change) {}
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    if (std::holds_alternative<Command>(command)) change_(reply);
  }

 private:
  Change change_;
};

template <typename Command>
NamedBug DistortBug(std::string name, void (*change)(StoreReply&)) {
  return {std::move(name), [change] { return std::make_unique<Distort<Command>>(change); }};
}

template <typename Made>
NamedBug NewBug(std::string name) {
  return {std::move(name), [] { return std::make_unique<Made>(); }};
}

// Records end so much later, and nothing says so.
class EndsAreOff final : public Bug {
 public:
  explicit EndsAreOff(int by) : by_(by) {}
  void Before(StoreCommand& command, const Run&) override {
    auto* create = std::get_if<store::Create>(&command);
    if (create == nullptr) return;
    for (std::optional<Millis>* length : {&create->lifetime.idle_ttl, &create->lifetime.max_life}) {
      if (*length && **length > Millis{1} && **length < kMaxLifetime) (*length)->count += by_;
    }
  }
  void After(const StoreCommand&, StoreReply& reply, const Run&) override {
    reply.record.expires_in.count -= by_;
    if (reply.record.max_life_left) reply.record.max_life_left->count -= by_;
  }

 private:
  int by_;
};

// Another key for what all commands ask for.
class OneOwner final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    if (const RecordKey* key = KeyOf(command)) {
      if (!key->owner.empty()) const_cast<RecordKey*>(key)->owner = "everybody";
    }
  }
};

class OneKind final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key != nullptr && key->kind.size() < 100 && !key->kind.empty()) {
      const_cast<RecordKey*>(key)->kind = "kind";
    }
    if (auto* list = std::get_if<store::List>(&command)) list->kind = "kind";
  }
};

class IdsInSmallLetters final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key == nullptr) return;
    id_ = key->id;
    for (char& c : id_) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const_cast<RecordKey*>(key)->id = id_;
  }

 private:
  std::string id_;
};

// Counts the versions of every record from 1.
class VersionsFromOne final : public Bug {
 public:
  void Before(StoreCommand& command, const Run&) override {
    auto shift = [this](const RecordKey& key, std::optional<std::uint64_t>& expected) {
      if (expected) *expected += base_[Own(key)];
    };
    if (auto* put = std::get_if<store::Put>(&command)) shift(put->key, put->expected);
    if (auto* remove = std::get_if<store::Remove>(&command)) shift(remove->key, remove->expected);
  }
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key == nullptr || reply.record.version == 0) return;
    std::uint64_t& base = base_[Own(*key)];
    if (std::holds_alternative<store::Create>(command) && !reply.error) {
      base = reply.record.version - 1;
    }
    reply.record.version -= base;
  }

 private:
  std::map<OwnedKey, std::uint64_t> base_;
};

class RegenerateLeavesTheOldKey final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* regenerate = std::get_if<store::Regenerate>(&command);
    if (regenerate == nullptr || reply.error) return;
    run(store::Create{regenerate->from, *reply.record.data, kAnHour});
  }
};

class RegenerateGivesANewLife final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* regenerate = std::get_if<store::Regenerate>(&command);
    if (regenerate == nullptr || reply.error) return;
    run(store::Touch{regenerate->to});
    const StoreReply now = run(store::Get{regenerate->to});
    reply.record.expires_in = now.record.expires_in;
  }
};

// Keeps one record of those it should remove.
class RemoveOwnedLeavesOne final : public Bug {
 public:
  void Before(StoreCommand& command, const Run& run) override {
    kept_.reset();
    const auto* remove = std::get_if<store::RemoveOwned>(&command);
    if (remove == nullptr) return;
    for (const OwnedKey& key : created_[std::string(remove->owner)]) {
      const StoreReply got = run(store::Get{View(key)});
      if (!got.error) kept_ = {key, *got.record.data};
    }
  }
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    if (const auto* create = std::get_if<store::Create>(&command)) {
      created_[std::string(create->key.owner)].insert(Own(create->key));
    }
    if (!kept_ || reply.removed < 2) return;
    run(store::Create{View(kept_->first), kept_->second, kAnHour});
  }

 private:
  std::map<std::string, std::set<OwnedKey>> created_;  // by owner
  std::optional<std::pair<OwnedKey, std::string>> kept_;
};

class CapacityByEviction final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* create = std::get_if<store::Create>(&command);
    if (create == nullptr) return;
    if (reply.error == ErrorCode::kCapacity && !created_.empty()) {
      const StoreTicket ticket = reply.ticket;
      for (const OwnedKey& key : created_) run(store::Remove{View(key)});
      reply = run(*create);
      reply.ticket = ticket;
    }
    if (!reply.error) created_.insert(Own(create->key));
  }

 private:
  std::set<OwnedKey> created_;
};

// Tells whoever knows kind and id that there was such a record.
class ExpiredForEverybody final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key == nullptr) return;
    const std::string id = std::string(key->kind) + "/" + std::string(key->id);
    if (reply.error == ErrorCode::kExpired) over_.insert(id);
    if (reply.error == ErrorCode::kNotFound && over_.contains(id))
      reply.error = ErrorCode::kExpired;
  }

 private:
  std::set<std::string> over_;
};

class RemovedIsExpired final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run&) override {
    const RecordKey* key = KeyOf(command);
    if (key == nullptr) return;
    const bool removes = std::holds_alternative<store::Remove>(command) && reply.removed == 1;
    if (removes) removed_.insert(Own(*key));
    if (reply.error == ErrorCode::kNotFound && removed_.contains(Own(*key))) {
      reply.error = ErrorCode::kExpired;
    }
  }

 private:
  std::set<OwnedKey> removed_;
};

class ListIsAnAccess final : public Bug {
 public:
  void After(const StoreCommand& command, StoreReply& reply, const Run& run) override {
    const auto* list = std::get_if<store::List>(&command);
    if (list == nullptr) return;
    for (const Record& record : reply.listed) {
      run(store::Touch{{list->owner, list->kind, record.id}});
    }
  }
};

}  // namespace

std::vector<NamedBug> BugsInRecords() {
  using store::Create;
  using store::Get;
  using store::Put;
  using store::Regenerate;
  using store::Remove;
  using store::Take;
  using store::Touch;
  return {
      RewriteBug<Put>("BlindPut", [](Put& put) { put.expected.reset(); }),
      InsteadBug<Put, ErrorCode::kNotFound>(
          "PutCreates",
          [](const Put& put, StoreReply& reply, const Bug::Run& run) {
            reply = run(Create{put.key, put.data, kAnHour});
          }),
      InsteadBug<Touch, ErrorCode::kNotFound>(
          "TouchCreates",
          [](const Touch& touch, StoreReply& reply, const Bug::Run& run) {
            reply.error = run(Create{touch.key, "", kAnHour}).error;
          }),
      InsteadBug<Get, ErrorCode::kNotFound>("GetCreates",
                                            [](const Get& get, StoreReply&, const Bug::Run& run) {
                                              run(Create{get.key, "", kAnHour});
                                            }),
      InsteadBug<Create, ErrorCode::kExists>(
          "CreateOverwrites",
          [](const Create& create, StoreReply& reply, const Bug::Run& run) {
            run(Remove{create.key});
            reply = run(create);
          }),
      NewBug<VersionsFromOne>("VersionsFromOne"),
      RewriteBug<Remove>("RemoveIgnoresTheVersion",
                         [](Remove& remove) { remove.expected.reset(); }),
      DistortBug<Put>("ConflictWithoutTheRecord",
                      [](StoreReply& reply) {
                        if (reply.error == ErrorCode::kConflict) reply.record = {};
                      }),
      DistortBug<Remove>("RemoveAlwaysFound",
                         [](StoreReply& reply) { reply.removed = reply.error ? 0 : 1; }),
      {"EndsALittleLate", [] { return std::make_unique<EndsAreOff>(1); }},
      {"EndsALittleEarly", [] { return std::make_unique<EndsAreOff>(-1); }},
      RewriteBug<Create>("NoMaxLife",
                         [](Create& create) {
                           if (create.lifetime.idle_ttl) create.lifetime.max_life.reset();
                         }),
      RewriteBug<Create>("NoIdleTtl",
                         [](Create& create) {
                           if (create.lifetime.max_life) create.lifetime.idle_ttl.reset();
                         }),
      RewriteBug<Create>("NothingIsRemembered",
                         [](Create& create) {
                           if (create.lifetime.remember > Millis{}) create.lifetime.remember = {};
                         }),
      NewBug<ExpiredForEverybody>("ExpiredForEverybody"),
      NewBug<RemovedIsExpired>("RemovedIsExpired"),
      NewBug<ListIsAnAccess>("ListIsAnAccess"),
      NewBug<OneOwner>("OwnerIgnored"),
      NewBug<OneKind>("KindIgnored"),
      NewBug<IdsInSmallLetters>("IdsInSmallLetters"),
      {"TakeLeavesIt",
       [] {
         class Leave final : public Bug {
          public:
           void Before(StoreCommand& command, const Run&) override {
             if (auto* take = std::get_if<Take>(&command)) {
               const RecordKey key = take->key;
               command = Get{key};
             }
           }
         };
         return std::make_unique<Leave>();
       }},
      NewBug<RegenerateLeavesTheOldKey>("RegenerateLeavesTheOldKey"),
      NewBug<RegenerateGivesANewLife>("RegenerateGivesANewLife"),
      InsteadBug<Regenerate, ErrorCode::kExists>(
          "RegenerateOverwrites",
          [](const Regenerate& regenerate, StoreReply& reply, const Bug::Run& run) {
            run(Remove{regenerate.to});
            reply = run(regenerate);
          }),
      NewBug<RemoveOwnedLeavesOne>("RemoveOwnedLeavesOne"),
      NewBug<CapacityByEviction>("CapacityByEviction"),
      RewriteBug<Create>("DataEndsAtNul",
                         [](Create& create) { create.data = create.data.c_str(); }),
  };
}

}  // namespace mcp_session
