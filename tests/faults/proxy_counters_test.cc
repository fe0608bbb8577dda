// Counters incremented by read and conditional write, while connections break before, in and after
// commands and replies: nothing that was said to be done is lost, and nothing is done twice.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/system/clock.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"
#include "tests/store/concurrent.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {

namespace {

using Kind = Fault::Kind;
using Way = Fault::Way;

constexpr RecordKey kCounter{"hush-owner", "session", "hush-counter"};
constexpr int kCounting = 4;
constexpr int kIncrements = 150;  // of each
constexpr Millis kTimeout{500};

// Some who count in one record over one store.
class Counting {
 public:
  explicit Counting(FaultClient& client) : client_(client) {}

  void Turn() {
    std::vector<StoreReply> replies;
    client_.store().Drain(&replies);
    for (const StoreReply& reply : replies) {
      ASSERT_LT(reply.ticket.number, callers_.size());
      OnReply(callers_[reply.ticket.number], reply);
    }
    for (std::size_t i = 0; i < callers_.size(); ++i) {
      if (!callers_[i].busy && callers_[i].tried < kIncrements) Start(i);
    }
  }

  bool is_over() const {
    for (const Caller& caller : callers_) {
      if (caller.busy || caller.tried < kIncrements) return false;
    }
    return true;
  }
  int acknowledged() const { return acknowledged_; }
  int unknown() const { return unknown_; }
  int certainly_not() const { return certainly_not_; }

 private:
  struct Caller {
    bool busy = false;
    bool writing = false;
    int tried = 0;  // increments that were done, or whose outcome is not known
    Instant due;
    std::optional<Record> seen;
  };

  void Start(std::size_t number) {
    Caller& caller = callers_[number];
    caller.busy = true;
    caller.writing = caller.seen.has_value();
    caller.due = MonotonicNow() + kTimeout + kSlack;
    StoreCommand command = store::Get{kCounter};
    if (caller.seen) {
      const std::string next = std::to_string(std::stoi(*caller.seen->data) + 1);
      command = store::Put{kCounter, next, caller.seen->version};
    }
    caller.seen.reset();
    client_.store().Submit({number}, std::move(command), MonotonicNow());
  }

  void OnReply(Caller& caller, const StoreReply& reply) {
    EXPECT_LE(client_.LoopNow(), caller.due) << "a late reply";
    caller.busy = false;
    if (reply.error == ErrorCode::kUnavailable) {
      if (!caller.writing) return;
      if (!reply.maybe_done) {
        ++certainly_not_;
        return;
      }
      ++caller.tried;
      ++unknown_;
    } else if (reply.error == ErrorCode::kConflict) {
      EXPECT_TRUE(caller.writing);
      caller.seen = reply.record;
    } else {
      EXPECT_THAT(reply, IsDone());
      if (caller.writing) {
        ++caller.tried;
        ++acknowledged_;
      }
      if (!reply.error) caller.seen = reply.record;
    }
  }

  FaultClient& client_;
  std::array<Caller, kCounting> callers_;
  int acknowledged_ = 0;
  int unknown_ = 0;
  int certainly_not_ = 0;
};

class ProxyCounters : public testing::Test {
 protected:
  ProxyCounters() : proxy_(server_.port()), direct_(OptionsFor(server_.port())) {
    RedisOptions options = OptionsFor(proxy_.port());
    client_ = std::make_unique<FaultClient>(options);
    EXPECT_TRUE(direct_.RunUntil(StoreState::kConnected));
    EXPECT_THAT(direct_.Create(kCounter, "0"), IsDone());
    EXPECT_TRUE(client_->RunUntil(StoreState::kConnected));
  }

  static RedisOptions OptionsFor(std::uint16_t port) {
    RedisOptions options = FaultOptions(port);
    options.command_timeout = kTimeout;
    return options;
  }

  // Counts through the proxy, and past it in another thread. Every connection of the store meets a
  // fault soon after it is ready.
  void Count(const std::function<Fault()>& next) {
    Counting past(direct_);
    std::thread others([&] {
      EXPECT_TRUE(direct_.RunUntil([&] {
        past.Turn();
        return past.is_over();
      }));
    });
    Counting through(*client_);
    std::uint64_t connects = 0;
    EXPECT_TRUE(client_->RunUntil([&] {
      if (client_->counters().connects > connects) {
        connects = client_->counters().connects;
        proxy_.Set(next());
      }
      through.Turn();
      return through.is_over();
    }));
    others.join();
    proxy_.Heal();
    RecordProperty("acknowledged", through.acknowledged());
    RecordProperty("unknown", through.unknown());
    RecordProperty("strikes", static_cast<int>(proxy_.strikes()));
    EXPECT_GT(proxy_.strikes(), 10u) << "nothing happened";
    const StoreReply counted = direct_.Get(kCounter);
    ASSERT_THAT(counted, IsDone());
    const int sure = through.acknowledged() + past.acknowledged();
    const int unknown = through.unknown() + past.unknown();
    EXPECT_GE(std::stoi(*counted.record.data), sure) << "an acknowledged write is lost";
    EXPECT_LE(std::stoi(*counted.record.data), sure + unknown) << "some write was done twice";
  }

  RedisServer server_;
  FaultProxy proxy_;
  FaultClient direct_;
  std::unique_ptr<FaultClient> client_;
  SeededEntropy random_{20261125};
};

TEST_F(ProxyCounters, AreExactWhenConnectionsEndBeforeCommands) {
  Count([this] {
    return Fault{.kind = Kind::kCut,
                 .way = Way::kUp,
                 .bytes = random_.Below(2000),
                 .reset = random_.Below(2) == 0};
  });
}

TEST_F(ProxyCounters, AreExactWhenConnectionsEndBeforeReplies) {
  Count([this] {
    return Fault{.kind = Kind::kCut,
                 .way = Way::kDown,
                 .bytes = random_.Below(500),
                 .reset = random_.Below(2) == 0};
  });
}

TEST_F(ProxyCounters, AreExactWhenConnectionsEndAnywhere) {
  Count([this] {
    return Fault{.kind = Kind::kCut,
                 .way = Way::kBoth,
                 .bytes = random_.Below(3000),
                 .reset = random_.Below(2) == 0};
  });
}

// A store of its own, through the proxy.
class StoreThroughProxy final : public StoreUnderTest {
 public:
  explicit StoreThroughProxy(const RedisOptions& options) : client_(options) {}

  SessionStore& store() override { return client_.store(); }
  Instant Now() override { return MonotonicNow(); }
  void Wait(Millis length) override { client_.RunFor(length); }
  void Pump() override {
    bool ran = false;
    client_.RunUntil([&ran] { return std::exchange(ran, true); });
  }

 private:
  FaultClient client_;
};

// Everybody finds out what became of writes that may have been done, and counts on from there.
TEST_F(ProxyCounters, AreExactForWhoeverFindsOut) {
  std::atomic<bool> over = false;
  std::atomic<int> clients = 0;
  std::thread faults([&] {
    // The first of them makes the record.
    while (clients <= kCounting) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // Not for ever: each connection that breaks early makes the next attempt wait longer.
    for (int i = 0; i < 60 && !over; ++i) {
      // Long enough for a handshake or two in between.
      proxy_.Set({.kind = Kind::kCut,
                  .way = random_.Below(2) == 0 ? Way::kDown : Way::kBoth,
                  .bytes = random_.Below(4000),
                  .reset = random_.Below(2) == 0});
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random_.Below(40)));
    }
    proxy_.Heal();
  });
  const auto trouble = RunConcurrentCounters(
      [&](int) {
        ++clients;
        return std::make_unique<StoreThroughProxy>(OptionsFor(proxy_.port()));
      },
      kCounting, 600);
  over = true;
  faults.join();
  EXPECT_EQ(trouble, std::nullopt) << trouble.value_or("");
  RecordProperty("strikes", static_cast<int>(proxy_.strikes()));
  EXPECT_GT(proxy_.strikes(), 5u) << "nothing happened";
}

}  // namespace
}  // namespace mcp_session
