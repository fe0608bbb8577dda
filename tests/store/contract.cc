#include "tests/store/contract.h"

#include <gtest/gtest-spi.h>

#include <algorithm>
#include <utility>

#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

// Where no record is to arrive.
constexpr RecordKey kElsewhere{"nobody", "session", "elsewhere"};

constexpr int kAttempts = 6;

}  // namespace

void StoreContract::NewStore(const StoreLimits& limits) {
  backend_.reset();  // the old one first: the two may share a server
  backend_ = GetParam().make(limits);
  ASSERT_NE(backend_, nullptr);
  slowest_run_ = Millis{};
}

void StoreContract::InTime(const std::function<void()>& test) {
  ahead_ = GetParam().dozen;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (attempt > 0) NewStore({});
    late_ = false;
    due_ = kNever;
    testing::TestPartResultArray found;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &found);
      test();
    }
    ahead_ = Millis{2 * ahead_.count};
    if (late_) continue;
    for (int i = 0; i < found.size(); ++i) {
      const testing::TestPartResult& result = found.GetTestPartResult(i);
      if (result.failed()) {
        ADD_FAILURE_AT(result.file_name(), result.line_number()) << result.message();
      }
    }
    return;
  }
  ADD_FAILURE() << "late at each of " << kAttempts << " attempts";
}

void StoreContract::NoteIfLate() {
  if (Now() >= due_) late_ = true;
}

void StoreContract::Wait(Millis length) {
  due_ = kNever;
  backend_->Wait(length);
}

void StoreContract::WaitUntilJustBefore(Instant at) {
  const Millis left = at - Now();
  Wait(Millis{std::max<std::int64_t>(left.count - 1 - tolerance().count - ahead_.count, 0)});
  MustBeBefore(at);
  NoteIfLate();
  if (late_) FAIL() << "too late";
}

void StoreContract::WaitUntil(Instant at) {
  const Millis left = at - Now();
  Wait(Millis{std::max<std::int64_t>(left.count + tolerance().count, 0)});
}

void StoreContract::Submit(StoreTicket ticket, StoreCommand command) {
  store().Submit(ticket, std::move(command), Now());
}

std::vector<StoreReply> StoreContract::Replies(std::size_t count, std::vector<StoreReply> replies) {
  for (int idle_turns = 0; idle_turns < 1000; ++idle_turns) {
    const std::size_t before = replies.size();
    store().Drain(&replies);
    if (replies.size() >= count) break;
    if (replies.size() > before) idle_turns = 0;
    backend_->Pump();
  }
  return replies;
}

std::vector<StoreReply> StoreContract::RepliesSoFar() {
  if (store().NextDeadline() <= Now()) store().Tick(Now());
  std::vector<StoreReply> replies;
  for (int turn = 0; turn < 3; ++turn) {
    backend_->Pump();
    store().Drain(&replies);
  }
  NoteIfLate();
  return replies;
}

StoreReply StoreContract::Run(StoreCommand command) {
  const StoreTicket ticket{++last_ticket_};
  last_run_.first = Now();
  Submit(ticket, std::move(command));
  std::vector<StoreReply> replies = Replies(1);
  last_run_.last = Now();
  slowest_run_ = std::max(slowest_run_, last_run_.last - last_run_.first);
  NoteIfLate();
  EXPECT_THAT(replies, testing::ElementsAre(testing::Field(&StoreReply::ticket, ticket)));
  if (replies.size() != 1) return StoreReply{.ticket = ticket, .error = ErrorCode::kInternal};
  return std::move(replies.front());
}

StoreReply StoreContract::Create(const RecordKey& key, std::string data, const Lifetime& lifetime) {
  return Run(store::Create{key, std::move(data), lifetime});
}

StoreReply StoreContract::Create(const RecordKey& key, std::string data) {
  return Create(key, std::move(data), {.idle_ttl = Hours(1)});
}

StoreReply StoreContract::Get(const RecordKey& key) { return Run(store::Get{key}); }

StoreReply StoreContract::Put(const RecordKey& key, std::string data,
                              std::optional<std::uint64_t> expected) {
  return Run(store::Put{key, std::move(data), expected});
}

StoreReply StoreContract::Touch(const RecordKey& key) { return Run(store::Touch{key}); }

StoreReply StoreContract::Remove(const RecordKey& key) { return Run(store::Remove{key}); }

StoreReply StoreContract::Remove(const RecordKey& key, std::optional<std::uint64_t> expected,
                                 std::uint64_t fence) {
  return Run(store::Remove{key, expected, fence});
}

StoreReply StoreContract::Take(const RecordKey& key) { return Run(store::Take{key}); }

StoreReply StoreContract::Regenerate(const RecordKey& from, const RecordKey& to,
                                     std::uint64_t write_id) {
  return Run(store::Regenerate{from, to, write_id});
}

StoreReply StoreContract::PutUnder(const RecordKey& key, std::string data, std::uint64_t fence) {
  return Run(
      store::Put{.key = key, .data = std::move(data), .expected = std::nullopt, .fence = fence});
}

StoreReply StoreContract::Lock(const RecordKey& key, std::uint64_t holder, Millis lease) {
  return Run(store::Lock{key, holder, lease});
}

StoreReply StoreContract::Lock(const RecordKey& key, std::uint64_t holder) {
  return Lock(key, holder, kMaxLease);
}

StoreReply StoreContract::Extend(const RecordKey& key, std::uint64_t holder, Millis lease) {
  return Run(store::Extend{key, holder, lease});
}

StoreReply StoreContract::Unlock(const RecordKey& key, std::uint64_t holder) {
  return Run(store::Unlock{key, holder});
}

StoreReply StoreContract::Append(const RecordKey& key, std::string data, std::size_t keep) {
  return Run(store::Append{key, std::move(data), keep});
}

StoreReply StoreContract::ReadEvents(const RecordKey& key, std::uint64_t after, std::size_t limit,
                                     Millis wait) {
  return Run(store::ReadEvents{key, after, limit, wait});
}

StoreReply StoreContract::RemoveOwned(std::string_view owner) {
  return Run(store::RemoveOwned{owner});
}

StoreReply StoreContract::List(std::string_view owner, std::string_view kind, std::size_t limit,
                               std::string_view cursor) {
  return Run(store::List{owner, kind, cursor, limit});
}

std::vector<std::string> StoreContract::ListIds(std::string_view owner, std::string_view kind,
                                                std::size_t limit) {
  std::vector<std::string> ids;
  std::string cursor;
  do {
    StoreReply page = List(owner, kind, limit, cursor);
    EXPECT_THAT(page, IsDone());
    EXPECT_LE(page.listed.size(), limit);
    for (Record& record : page.listed) ids.push_back(std::move(record.id));
    cursor = std::move(page.cursor);
    if (ids.size() > 100'000) {
      ADD_FAILURE() << "the list has no end";
      break;
    }
  } while (!cursor.empty());
  return ids;
}

void StoreContract::ExpectAbsent(const RecordKey& key) {
  const auto is_not_found = testing::AllOf(FailsWith(ErrorCode::kNotFound), HasNoRecord());
  EXPECT_THAT(Get(key), is_not_found);
  EXPECT_THAT(Put(key, "put", std::nullopt), is_not_found);
  EXPECT_THAT(Put(key, "put", 0), is_not_found);
  EXPECT_THAT(Put(key, "put", 1), is_not_found);
  EXPECT_THAT(PutUnder(key, "put", 1), is_not_found);
  EXPECT_THAT(Run(store::Put{key, "put", std::nullopt, 77}), is_not_found);
  EXPECT_THAT(Touch(key), is_not_found);
  if (has_extras()) {
    EXPECT_THAT(Take(key), is_not_found);
    EXPECT_THAT(Regenerate(key, kElsewhere), is_not_found);
    EXPECT_THAT(Regenerate(key, kElsewhere, 77), is_not_found);
    EXPECT_THAT(Append(key, "event"), is_not_found);
    EXPECT_THAT(ReadEvents(key), testing::AllOf(is_not_found, HasNoEvents()));
  }
  EXPECT_THAT(Remove(key), Removed(0));
  EXPECT_THAT(Remove(key, 1), Removed(0));
  EXPECT_THAT(Remove(key, std::nullopt, 1), Removed(0));
  if (!key.owner.empty()) {
    EXPECT_THAT(ListIds(key.owner, key.kind), testing::Not(testing::Contains(std::string(key.id))));
  }
  EXPECT_THAT(Get(key), is_not_found);
  EXPECT_THAT(Get(kElsewhere), is_not_found);
}

// What a store says may go by the server's clock as it heard it last, and be so much behind.
testing::Matcher<Millis> StoreContract::IsLeftOf(const Span& began, Millis length) const {
  const Millis least = began.first + length - last_run_.last;
  const Millis most = began.last + length - last_run_.first;
  return testing::AllOf(testing::Ge(Millis{least.count - tolerance().count}),
                        testing::Le(Millis{most.count + slowest_run_.count + tolerance().count}));
}

Millis StoreContract::OfIdle(double part) const {
  return Millis{static_cast<std::int64_t>(static_cast<double>(idle_ttl().count) * part)};
}

}  // namespace mcp_session
