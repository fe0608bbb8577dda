// What a MeteredStore counts, and the text Prometheus gets: read back by a small parser that knows
// the rules of the format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "mcp_session/metrics/metered_store.h"
#include "mcp_session/metrics/prometheus_text.h"
#include "mcp_session/metrics/store_metrics.h"
#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"

namespace mcp_session {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;

// --- the format, read back ---

bool IsName(const std::string& text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
         std::string::npos;
}

struct Parsed {
  std::map<std::string, std::string> types;  // of families
  std::map<std::string, double> samples;     // by everything before the value
  std::vector<std::string> complaints;
};

// The family a sample is of.
std::string FamilyOf(const std::string& name, const Parsed& parsed) {
  for (const char* end : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(end)) continue;
    const std::string family = name.substr(0, name.size() - std::string(end).size());
    const auto found = parsed.types.find(family);
    if (found != parsed.types.end() && found->second == "histogram") return family;
  }
  return name;
}

Parsed Parse(const std::string& text) {
  Parsed parsed;
  const auto complain = [&](const std::string& line) { parsed.complaints.push_back(line); };
  if (!text.empty() && text.back() != '\n') complain("no line break at the end");
  std::istringstream lines(text);
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (line.starts_with("# HELP ")) continue;
    if (line.starts_with("# TYPE ")) {
      std::string type;
      words >> word >> word >> current >> type;
      if (!IsName(current) || !parsed.types.emplace(current, type).second) complain(line);
      if (type != "counter" && type != "gauge" && type != "histogram") complain(line);
      if (type == "counter" && !current.ends_with("_total")) complain(line);
      continue;
    }
    const std::size_t space = line.rfind(' ');
    const std::string series = line.substr(0, space);
    const std::string name = series.substr(0, series.find('{'));
    if (!IsName(name) || FamilyOf(name, parsed) != current) complain(line);
    if (series.find('{') != std::string::npos && series.back() != '}') complain(line);
    char* end = nullptr;
    const std::string number = line.substr(space + 1);
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0') complain(line);
    if (!parsed.samples.emplace(series, value).second) complain("twice: " + series);
  }
  return parsed;
}

TEST(PrometheusText, EscapesWhatNeedsIt) {
  PrometheusText text;
  text.Family("a_total", "counter", "one\\two\nthree \"quoted\"");
  text.Sample("a_total", {{"l", "back\\slash \"quote\"\nbreak"}}, std::uint64_t{7});
  text.Sample("a_total", {}, 0.25);
  EXPECT_EQ(text.text(),
            "# HELP a_total one\\\\two\\nthree \"quoted\"\n"
            "# TYPE a_total counter\n"
            "a_total{l=\"back\\\\slash \\\"quote\\\"\\nbreak\"} 7\n"
            "a_total 0.25\n");
}

TEST(PrometheusText, Numbers) {
  EXPECT_EQ(PrometheusNumber(1), "1");
  EXPECT_EQ(PrometheusNumber(1e-7), "1e-07");
  EXPECT_EQ(PrometheusNumber(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(PrometheusNumber(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(PrometheusNumber(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(DurationHistogram, CountsAtItsBounds) {
  DurationHistogram histogram;
  histogram.Add(std::chrono::nanoseconds(100));  // the first bound itself
  histogram.Add(microseconds(251));
  histogram.Add(std::chrono::seconds(2));
  EXPECT_EQ(histogram.CountUpTo(0), 1u);
  EXPECT_EQ(histogram.CountUpTo(4), 1u);
  EXPECT_EQ(histogram.CountUpTo(5), 2u);
  EXPECT_EQ(histogram.CountUpTo(15), 2u);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_NEAR(histogram.seconds(), 2.0002511, 1e-9);
}

class MeteredStoreTest : public testing::Test {
 protected:
  StoreReply Run(StoreCommand command, microseconds takes = microseconds(0)) {
    metered_.Submit({42}, std::move(command), Instant{1});
    time_ += takes;
    std::vector<StoreReply> replies;
    metered_.Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].ticket.number, 42u);
    return std::move(replies[0]);
  }
  Parsed Metrics(const StoreFigures& figures = {}) {
    PrometheusText text;
    AppendStoreMetrics(metered_.measures(), metered_.Status(), figures, &text);
    text_ = text.text();
    return Parse(text_);
  }

  const RecordKey key_{"principal:secret-owner", "cart", "secret-id"};
  CountingEntropy entropy_;
  MemorySessionStore memory_{{}, entropy_};
  DelayingStore delaying_{memory_};
  microseconds time_{0};
  MeteredStore metered_{delaying_, [this] { return std::chrono::nanoseconds(time_); }};
  std::string text_;
};

TEST_F(MeteredStoreTest, MeasuresByOperationAndOutcome) {
  Run(store::Create{key_, "data", {.idle_ttl = Hours(1)}}, microseconds(300));
  Run(store::Create{key_, "data", {.idle_ttl = Hours(1)}}, microseconds(20));
  Run(store::Get{key_}, microseconds(2));
  Run(store::Get{key_}, microseconds(20'000));
  delaying_.Fail(ErrorCode::kUnavailable, 1);
  Run(store::Get{key_});
  const Parsed metrics = Metrics();
  EXPECT_THAT(metrics.complaints, testing::IsEmpty()) << text_;
  const auto count = [&](const std::string& labels) {
    const auto found = metrics.samples.find("session_store_operation_duration_seconds_count{" +
                                            std::string("backend=\"memory\",") + labels + "}");
    return found == metrics.samples.end() ? -1 : found->second;
  };
  EXPECT_EQ(count(R"(operation="create",outcome="ok")"), 1);
  EXPECT_EQ(count(R"(operation="create",outcome="exists")"), 1);
  EXPECT_EQ(count(R"(operation="get",outcome="ok")"), 2);
  EXPECT_EQ(count(R"(operation="get",outcome="unavailable")"), 1);
  EXPECT_EQ(count(R"(operation="put",outcome="ok")"), -1);
  const std::string bucket =
      R"(session_store_operation_duration_seconds_bucket{backend="memory",operation="get",outcome="ok",le=)";
  EXPECT_EQ(metrics.samples.at(bucket + "\"1e-06\"}"), 0);
  EXPECT_EQ(metrics.samples.at(bucket + "\"1e-05\"}"), 1);
  EXPECT_EQ(metrics.samples.at(bucket + "\"0.01\"}"), 1);
  EXPECT_EQ(metrics.samples.at(bucket + "\"0.025\"}"), 2);
  EXPECT_EQ(metrics.samples.at(bucket + "\"+Inf\"}"), 2);
  EXPECT_NEAR(metrics.samples.at("session_store_operation_duration_seconds_sum{backend=\"memory\","
                                 "operation=\"get\",outcome=\"ok\"}"),
              0.020002, 1e-9);
}

TEST_F(MeteredStoreTest, CountsConflicts) {
  Run(store::Create{key_, "data", {.idle_ttl = Hours(1)}});
  Run(store::Put{key_, "x", 999});
  Run(store::Put{key_, "x", 999});
  const Parsed metrics = Metrics();
  EXPECT_EQ(metrics.samples.at("session_store_conflicts_total{operation=\"put\"}"), 2);
  EXPECT_EQ(metrics.samples.at("session_store_conflicts_total{operation=\"remove\"}"), 0);
}

TEST_F(MeteredStoreTest, CountsWhatComesAndGoes) {
  const Lifetime hour{.idle_ttl = Hours(1)};
  const auto value = [this](const std::string& series) {
    const Parsed metrics = Metrics();
    const auto found = metrics.samples.find(series);
    return found == metrics.samples.end() ? -1 : found->second;
  };
  for (const char* name : {"created", "removed", "lock_lost", "fenced"}) {
    EXPECT_EQ(value("session_store_" + std::string(name) + "_total{backend=\"memory\"}"), 0);
  }
  for (const char* id : {"1", "2", "3", "4"}) {
    Run(store::Create{{"owner", "cart", id}, "", hour});
  }
  Run(store::Create{{"owner", "cart", "4"}, "", hour});  // kExists
  EXPECT_EQ(value("session_store_created_total{backend=\"memory\"}"), 4);
  Run(store::Remove{{"owner", "cart", "1"}});
  Run(store::Remove{{"owner", "cart", "1"}});  // of nothing
  Run(store::Take{{"owner", "cart", "2"}});
  Run(store::Take{{"owner", "cart", "2"}});  // kNotFound
  EXPECT_EQ(value("session_store_removed_total{backend=\"memory\"}"), 2);
  Run(store::RemoveOwned{"owner"});
  EXPECT_EQ(value("session_store_removed_total{backend=\"memory\"}"), 4);

  Run(store::Unlock{key_, 1});
  Run(store::Extend{key_, 1, Seconds(1)});
  EXPECT_EQ(value("session_store_lock_lost_total{backend=\"memory\"}"), 2);
  Run(store::Create{key_, "", hour});
  const std::uint64_t old_token = Run(store::Lock{key_, 1, Seconds(1)}).fence;
  Run(store::Unlock{key_, 1});
  Run(store::Lock{key_, 2, Seconds(1)});
  Run(store::Put{key_, "", std::nullopt, 0, old_token});
  EXPECT_EQ(value("session_store_fenced_total{backend=\"memory\"}"), 1);

  Run(store::Put{key_, std::string(100'000, 'x'), std::nullopt});
  Run(store::RemoveOwned{""});
  const auto rejected = [&](const std::string& reason) {
    return value("session_store_rejected_total{backend=\"memory\",reason=\"" + reason + "\"}");
  };
  EXPECT_EQ(rejected("too_large"), 1);
  EXPECT_EQ(rejected("invalid_argument"), 1);
  EXPECT_EQ(rejected("capacity"), 0);
  delaying_.Fail(ErrorCode::kCapacity, 1);
  Run(store::Create{{"", "cart", "5"}, "", hour});
  EXPECT_EQ(rejected("capacity"), 1);
  EXPECT_THAT(Metrics().complaints, testing::IsEmpty()) << text_;
}

TEST_F(MeteredStoreTest, MeasuresDataThatWasWrittenAndRead) {
  Run(store::Create{key_, std::string(64, 'x'), {.idle_ttl = Hours(1)}});
  Run(store::Put{key_, std::string(65, 'x'), std::nullopt});
  Run(store::Put{key_, std::string(5000, 'x'), std::nullopt});
  Run(store::Put{key_, std::string(100'000, 'x'), std::nullopt});  // kTooLarge: was not written
  Run(store::Get{key_});
  Run(store::Get{{"", "cart", "none"}});
  Run(store::Append{key_, "event"});
  const Parsed metrics = Metrics();
  EXPECT_THAT(metrics.complaints, testing::IsEmpty()) << text_;
  const auto sample = [&](const std::string& end, const std::string& labels) {
    return metrics.samples.at("session_store_value_size_bytes" + end + "{" + labels + "}");
  };
  EXPECT_EQ(sample("_bucket", R"(operation="create",le="64")"), 1);
  EXPECT_EQ(sample("_bucket", R"(operation="put",le="64")"), 0);
  EXPECT_EQ(sample("_bucket", R"(operation="put",le="256")"), 1);
  EXPECT_EQ(sample("_bucket", R"(operation="put",le="16384")"), 2);
  EXPECT_EQ(sample("_bucket", R"(operation="put",le="+Inf")"), 2);
  EXPECT_EQ(sample("_sum", R"(operation="put")"), 5065);
  EXPECT_EQ(sample("_count", R"(operation="get")"), 1);
  EXPECT_EQ(sample("_sum", R"(operation="get")"), 5000);
  EXPECT_EQ(sample("_sum", R"(operation="append")"), 5);
}

TEST_F(MeteredStoreTest, TellsTheStateAsOneSeriesEach) {
  const Parsed metrics = Metrics();
  EXPECT_EQ(metrics.samples.at("session_store_state{state=\"connected\"}"), 1);
  for (const char* state : {"connecting", "unavailable", "misconfigured", "degraded"}) {
    EXPECT_EQ(metrics.samples.at("session_store_state{state=\"" + std::string(state) + "\"}"), 0);
  }
}

TEST_F(MeteredStoreTest, FiguresAreThereWhereTheStoreKnowsThem) {
  EXPECT_EQ(Metrics().samples.count("session_store_sessions{backend=\"memory\"}"), 0u);
  const Parsed metrics = Metrics({.records = 3, .bytes = 4096, .reconnects = 1});
  EXPECT_THAT(metrics.complaints, testing::IsEmpty()) << text_;
  EXPECT_EQ(metrics.samples.at("session_store_sessions{backend=\"memory\"}"), 3);
  EXPECT_EQ(metrics.samples.at("session_store_size_bytes{backend=\"memory\"}"), 4096);
  EXPECT_EQ(metrics.samples.at("session_store_reconnects_total{backend=\"memory\"}"), 1);
  const Parsed others =
      Metrics({.maxmemory_policy_ok = 0, .resets = 2, .file_transactions = 5, .refused = 6});
  EXPECT_THAT(others.complaints, testing::IsEmpty()) << text_;
  EXPECT_EQ(others.samples.at("session_store_maxmemory_policy_ok{backend=\"memory\"}"), 0);
  EXPECT_EQ(others.samples.at("session_store_resets_total{backend=\"memory\"}"), 2);
  EXPECT_EQ(others.samples.at("session_store_file_transactions_total{backend=\"memory\"}"), 5);
  EXPECT_EQ(others.samples.at("session_store_local_refusals_total{backend=\"memory\"}"), 6);
}

TEST_F(MeteredStoreTest, CommandsThatWaitAreMeasuredWhenTheyAreAnswered) {
  delaying_.Hold();
  metered_.Submit({7}, store::Get{key_}, Instant{1});
  EXPECT_EQ(metered_.measures().open, 1u);
  EXPECT_EQ(Metrics().samples.at("session_store_pending{backend=\"memory\"}"), 1);
  time_ = microseconds(5000);
  delaying_.Release();
  std::vector<StoreReply> replies;
  metered_.Drain(&replies);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].ticket.number, 7u);
  EXPECT_EQ(metered_.measures().open, 0u);
  EXPECT_NEAR(metered_.measures().durations.begin()->second.seconds(), 0.005, 1e-9);
}

TEST_F(MeteredStoreTest, NothingOfKeysAndDataIsInTheText) {
  Run(store::Create{key_, "secret-data", {.idle_ttl = Hours(1)}});
  Run(store::List{key_.owner, key_.kind, "", 10});
  Metrics({.records = 1});
  EXPECT_THAT(text_, Not(HasSubstr("secret")));
  EXPECT_THAT(text_, Not(HasSubstr("cart")));
}

// Every operation and outcome has a name of its own, so no series is two things.
TEST(MeteredNames, AreDifferent) {
  std::map<std::string_view, int> names;
  for (std::size_t i = 0; i < std::variant_size_v<StoreCommand>; ++i) ++names[OperationName(i)];
  for (const auto& [name, count] : names) EXPECT_EQ(count, 1) << name;
  EXPECT_EQ(OperationName(StoreCommand(store::ReadEvents{}).index()), "read_events");
  EXPECT_EQ(OperationName(StoreCommand(store::Regenerate{}).index()), "regenerate");
  EXPECT_EQ(OutcomeName(std::nullopt), "ok");
  EXPECT_EQ(OutcomeName(ErrorCode::kParseError), "other");
}

}  // namespace
}  // namespace mcp_session
