#include "mcp_session/http/caller_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mcp_session {
namespace {

using Kind = CallerLimits::Kind;

constexpr Instant kStart{1'000'000};

// Opens and closes at once.
Millis Ask(CallerLimits& limits, std::string_view name, Instant now) {
  const auto admission = limits.Open(name, Kind::kRequest, now);
  if (admission.caller != nullptr) limits.Close(admission.caller, Kind::kRequest);
  return admission.retry_after;
}

TEST(CallerLimits, LimitNothingUnlessTold) {
  EXPECT_FALSE(CallerLimits({}).limits_anything());
  EXPECT_TRUE(CallerLimits({.requests_per_second = 1}).limits_anything());
  EXPECT_TRUE(CallerLimits({.max_open = 1}).limits_anything());
  EXPECT_TRUE(CallerLimits({.max_streams = 1}).limits_anything());
}

TEST(CallerLimits, LetABurstPassAndThenARate) {
  CallerLimits limits({.requests_per_second = 4, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(limits, "a", kStart), Millis{});
  EXPECT_EQ(Ask(limits, "a", kStart), Millis{250});
  EXPECT_EQ(Ask(limits, "b", kStart), Millis{});  // somebody else
  EXPECT_EQ(Ask(limits, "a", kStart + Millis{249}), Millis{1});
  EXPECT_EQ(Ask(limits, "a", kStart + Millis{250}), Millis{});
  EXPECT_EQ(Ask(limits, "a", kStart + Millis{250}), Millis{250});
  // However long it is silent, it is not given more than a burst.
  const Instant later = kStart + Hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(limits, "a", later), Millis{});
  EXPECT_EQ(Ask(limits, "a", later), Millis{250});
}

TEST(CallerLimits, CountWhatIsOpen) {
  CallerLimits limits({.max_open = 2, .max_streams = 1});
  const auto first = limits.Open("a", Kind::kRequest, kStart);
  const auto second = limits.Open("a", Kind::kRequest, kStart);
  ASSERT_NE(first.caller, nullptr);
  ASSERT_NE(second.caller, nullptr);
  EXPECT_EQ(limits.Open("a", Kind::kRequest, kStart).caller, nullptr);
  EXPECT_EQ(limits.Open("a", Kind::kRequest, kStart).retry_after, Seconds(1));
  const auto stream = limits.Open("a", Kind::kStream, kStart);
  ASSERT_NE(stream.caller, nullptr);
  EXPECT_EQ(limits.Open("a", Kind::kStream, kStart).caller, nullptr);
  EXPECT_NE(limits.Open("b", Kind::kStream, kStart).caller, nullptr);
  limits.Close(first.caller, Kind::kRequest);
  EXPECT_EQ(limits.Open("a", Kind::kStream, kStart).caller, nullptr);
  EXPECT_NE(limits.Open("a", Kind::kRequest, kStart).caller, nullptr);
  limits.Close(stream.caller, Kind::kStream);
  EXPECT_NE(limits.Open("a", Kind::kStream, kStart).caller, nullptr);
}

TEST(CallerLimits, RememberSoManyCallersAndForgetTheSilent) {
  CallerLimits limits({.requests_per_second = 1, .burst = 1, .max_callers = 3});
  const auto busy = limits.Open("busy", Kind::kRequest, kStart);
  ASSERT_NE(busy.caller, nullptr);
  EXPECT_EQ(Ask(limits, "a", kStart), Millis{});
  EXPECT_EQ(Ask(limits, "b", kStart), Millis{});
  EXPECT_GT(Ask(limits, "a", kStart), Millis{});  // and is heard of later than b
  EXPECT_EQ(Ask(limits, "c", kStart), Millis{});
  EXPECT_EQ(limits.callers(), 3u);
  EXPECT_GT(Ask(limits, "a", kStart), Millis{});
  EXPECT_GT(Ask(limits, "busy", kStart), Millis{});
  EXPECT_EQ(Ask(limits, "b", kStart), Millis{});  // begins anew
}

TEST(CallerLimits, TurnAwayNewCallersWhileAllAreBusy) {
  CallerLimits limits({.max_open = 1, .max_callers = 2});
  std::vector<CallerLimits::Caller*> busy;
  for (const char* name : {"a", "b"}) {
    busy.push_back(limits.Open(name, Kind::kRequest, kStart).caller);
  }
  EXPECT_EQ(limits.Open("c", Kind::kRequest, kStart).caller, nullptr);
  EXPECT_EQ(limits.callers(), 2u);
  limits.Close(busy[0], Kind::kRequest);
  EXPECT_NE(limits.Open("c", Kind::kRequest, kStart).caller, nullptr);
  EXPECT_EQ(limits.callers(), 2u);
}

}  // namespace
}  // namespace mcp_session
