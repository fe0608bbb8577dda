// What operators are told of several loops.
#include "mcp_session/health/operator_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// In whatever state the test says; answers nothing.
class StatedStore final : public SessionStore {
 public:
  void Submit(StoreTicket, StoreCommand, Instant) override {}
  void Drain(std::vector<StoreReply>*) override {}
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return kNever; }
  void Tick(Instant) override {}
  StoreStatus Status() const override { return status; }

  StoreStatus status{.state = StoreState::kConnected, .backend = "redis"};
};

struct Loop {
  Loop() {
    auto store = std::make_unique<StatedStore>();
    stated = store.get();
    created.store = std::move(store);
    metered.emplace(*created.store);
  }
  boost::asio::io_context loop;
  CreatedStore created;
  StatedStore* stated = nullptr;
  std::optional<MeteredStore> metered;
};

class OperatorPagesTest : public testing::Test {
 protected:
  HttpAnswer Ask(std::string_view path) {
    std::vector<StoreOfLoop> stores;
    for (Loop& one : loops_) stores.push_back({one.loop, *one.metered, one.created});
    std::optional<HttpAnswer> answer;
    for (const HttpDynamicPage& page : OperatorPages(stores)) {
      if (page.path == path) page.answer_later([&](HttpAnswer made) { answer = std::move(made); });
    }
    for (Loop& one : loops_) {
      EXPECT_FALSE(answer) << "a loop was not asked";
      one.loop.restart();
      one.loop.run();
    }
    EXPECT_TRUE(answer);
    return answer.value_or(HttpAnswer{});
  }
  void Be(std::size_t loop, StoreState state, std::string reason = {}) {
    loops_[loop].stated->status.state = state;
    loops_[loop].stated->status.reason = std::move(reason);
  }

  Loop loops_[3];
};

TEST_F(OperatorPagesTest, TellTheWorstState) {
  EXPECT_EQ(Ask("/readyz").status, 200);
  Be(1, StoreState::kDegraded);
  EXPECT_EQ(Ask("/readyz").status, 200);
  EXPECT_THAT(Ask("/healthz").body, HasSubstr(R"("state":"degraded")"));
  Be(2, StoreState::kConnecting);
  EXPECT_EQ(Ask("/readyz").status, 503);
  EXPECT_THAT(Ask("/healthz").body, HasSubstr(R"("state":"connecting")"));
  Be(0, StoreState::kUnavailable, "nobody answers");
  EXPECT_THAT(Ask("/healthz").body,
              HasSubstr(R"("state":"unavailable","reason":"nobody answers")"));
  Be(1, StoreState::kMisconfigured, "wrong password");
  const HttpAnswer health = Ask("/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_THAT(health.body, HasSubstr(R"("state":"misconfigured","reason":"wrong password")"));
  EXPECT_THAT(Ask("/metrics").body, HasSubstr("session_store_state{state=\"misconfigured\"} 1\n"));
}

TEST_F(OperatorPagesTest, AddUpWhatIsCounted) {
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      loops_[i].metered->Submit({1}, store::Get{{"owner", "kind", "id"}}, Instant{1});
    }
  }
  Be(1, StoreState::kUnavailable);
  loops_[1].metered->Tick(Instant{1});
  const std::string metrics = Ask("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("session_store_pending{backend=\"redis\"} 6\n"));
  EXPECT_THAT(metrics, HasSubstr("session_store_transitions_total{from=\"connected\","
                                 "to=\"unavailable\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("session_store_fallback{backend=\"redis\"} 0\n"));
  loops_[2].created.fell_back = true;
  EXPECT_THAT(Ask("/metrics").body, HasSubstr("session_store_fallback{backend=\"redis\"} 1\n"));
  EXPECT_THAT(metrics, Not(HasSubstr("session_store_sessions{")));
}

}  // namespace
}  // namespace mcp_session
