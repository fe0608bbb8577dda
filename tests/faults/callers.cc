#include "tests/faults/callers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "mcp_session/system/clock.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr std::size_t kLiveRecords = 4;  // of one caller
constexpr Lifetime kLong{.idle_ttl = Hours(1)};

}  // namespace

Callers::Callers(FaultClient& client, const Options& options)
    : client_(client), options_(options), random_(options.seed), callers_(options.callers) {}

void Callers::WorkUntil(const std::function<bool()>& condition) {
  EXPECT_TRUE(client_.RunUntil([&] {
    const bool over = condition();
    Turn(!over);
    return over && std::none_of(callers_.begin(), callers_.end(),
                                [](const Caller& caller) { return caller.busy; });
  })) << "some command is never answered";
}

void Callers::WorkFor(Millis length) {
  const Instant end = MonotonicNow() + length;
  WorkUntil([end] { return MonotonicNow() >= end; });
}

void Callers::WorkOnFor(Millis length) {
  const Instant end = MonotonicNow() + length;
  EXPECT_TRUE(client_.RunUntil([this, end] {
    Turn(true);
    return MonotonicNow() >= end;
  }));
}

void Callers::Work(std::size_t commands) {
  const std::size_t end = done_ + unavailable_ + commands;
  WorkUntil([this, end] { return done_ + unavailable_ >= end; });
}

void Callers::CheckAll() {
  for (std::size_t number = 0; number < callers_.size(); ++number) {
    Caller& caller = callers_[number];
    for (std::size_t record = 0; record < caller.records.size(); ++record) {
      for (int tries = 0; tries <= 20; ++tries) {
        const std::size_t before = done_;
        Submit(number, Step::kGet, record);
        WorkUntil([] { return true; });
        if (done_ > before) break;
        if (tries == 20) {
          ADD_FAILURE() << "it does not recover: " << client_.reason();
          return;
        }
      }
    }
  }
}

std::size_t Callers::live() const {
  std::size_t live = 0;
  for (const Caller& caller : callers_) {
    for (const Owned& record : caller.records) {
      if (record.witness.version() != 0 && !record.witness.ended()) ++live;
    }
  }
  return live;
}

void Callers::Turn(bool start_more) {
  std::vector<StoreReply> replies;
  client_.store().Drain(&replies);
  for (const StoreReply& reply : replies) {
    // Tickets are numbers of callers; each has one command open.
    ASSERT_LT(reply.ticket.number, callers_.size());
    Caller& caller = callers_[reply.ticket.number];
    ASSERT_TRUE(caller.busy) << "answered twice: " << testing::PrintToString(reply);
    caller.busy = false;
    Check(caller, reply);
  }
  if (!start_more) return;
  for (std::size_t number = 0; number < callers_.size(); ++number) {
    if (!callers_[number].busy) Start(number);
  }
}

void Callers::Start(std::size_t number) {
  Caller& caller = callers_[number];
  std::vector<std::size_t> live;
  std::vector<std::size_t> ended;
  for (std::size_t i = 0; i < caller.records.size(); ++i) {
    (caller.records[i].witness.ended() ? ended : live).push_back(i);
  }
  if (live.size() < kLiveRecords) {
    const std::string name = options_.name + "-" + std::to_string(number);
    caller.records.push_back(
        {std::string(kSecret) + "-owner-" + name,
         std::string(kSecret) + "-id-" + name + "-" + std::to_string(caller.records.size())});
    return Submit(number, Step::kCreate, caller.records.size() - 1);
  }
  const std::uint64_t dice = random_.Below(100);
  const auto any_of = [this](const std::vector<std::size_t>& of) {
    return of[random_.Below(of.size())];
  };
  if (dice < 10 && !ended.empty()) {
    constexpr Step kSteps[] = {Step::kGet, Step::kPut, Step::kTouch};
    return Submit(number, kSteps[random_.Below(3)], any_of(ended));
  }
  const std::size_t record = any_of(live);
  if (!caller.records[record].witness.may_exist()) return Submit(number, Step::kCreate, record);
  // What nobody knows to be there cannot be changed at a version.
  if (caller.records[record].witness.version() == 0 || dice < 45) {
    return Submit(number, Step::kGet, record);
  }
  if (options_.ends_records && dice >= 92) {
    return Submit(number, dice < 97 ? Step::kRemove : Step::kTake, record);
  }
  Submit(number, dice < 80 ? Step::kPut : Step::kTouch, record);
}

// Begins with the id, so that nobody else's data can be taken for it.
std::string Callers::NewData(const Owned& record) {
  std::string data = record.id + " #" + std::to_string(++written_) + " ";
  data.append(random_.Below(options_.max_data), '.');
  return data;
}

void Callers::Submit(std::size_t number, Step step, std::size_t record) {
  Caller& caller = callers_[number];
  const Owned& owned = caller.records[record];
  caller.busy = true;
  caller.step = step;
  caller.record = record;
  caller.due = MonotonicNow() + options_.command_timeout + kSlack;
  const std::uint64_t version = owned.witness.version();
  StoreCommand command = store::Get{owned.key()};
  switch (step) {
    case Step::kCreate:
      caller.data = NewData(owned);
      command = store::Create{owned.key(), caller.data, kLong};
      break;
    case Step::kPut:
      caller.data = NewData(owned);
      command = store::Put{owned.key(), caller.data, version};
      break;
    case Step::kTouch:
      command = store::Touch{owned.key()};
      break;
    case Step::kRemove:
      command = store::Remove{owned.key(), version};
      break;
    case Step::kTake:
      command = store::Take{owned.key()};
      break;
    case Step::kGet:
      break;
  }
  client_.store().Submit({number}, std::move(command), MonotonicNow());
}

void Callers::Check(Caller& caller, const StoreReply& reply) {
  EXPECT_LE(client_.LoopNow(), caller.due) << "a late reply";
  const bool unavailable = reply.error == ErrorCode::kUnavailable;
  ++(unavailable ? unavailable_ : done_);
  if (unavailable && reply.maybe_done) ++maybe_done_;
  Owned& record = caller.records[caller.record];
  std::string wrong;
  switch (caller.step) {
    case Step::kCreate:
      wrong = record.witness.Created(caller.data, reply);
      break;
    case Step::kGet:
      wrong = record.witness.Got(reply);
      break;
    case Step::kPut:
      wrong = record.witness.Put(caller.data, reply);
      break;
    case Step::kTouch:
      wrong = record.witness.Touched(reply);
      break;
    case Step::kRemove:
      wrong = record.witness.Removed(reply);
      break;
    case Step::kTake:
      wrong = record.witness.Took(reply);
      break;
  }
  EXPECT_EQ(wrong, "") << record.id << ", step " << static_cast<int>(caller.step) << ": "
                       << testing::PrintToString(reply);
}

}  // namespace mcp_session
