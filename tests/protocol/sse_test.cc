#include "mcp_session/protocol/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {

void PrintTo(const SseEvent& event, std::ostream* out) {
  *out << "{type: " << event.type << ", data: \"" << event.data << "\", id: \""
       << event.last_event_id << "\"}";
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Reading {
  std::vector<SseEvent> events;
  bool too_large = false;
  std::optional<std::int64_t> retry;
  std::string last_event_id;
};

Reading ReadInPieces(std::string_view text, std::size_t piece, std::size_t limit) {
  SseReader reader(limit);
  Reading reading;
  while (!text.empty()) {
    const std::size_t before = reading.events.size();
    const auto some = reader.Read(text.substr(0, piece), &reading.events);
    text.remove_prefix(std::min(piece, text.size()));
    if (some) {
      EXPECT_EQ(*some, reading.events.size() > before);
      EXPECT_FALSE(reading.too_large) << "a reader that failed reads on";
    } else {
      EXPECT_EQ(some.error().code, ErrorCode::kTooLarge);
      reading.too_large = true;
    }
  }
  reading.retry = reader.retry();
  reading.last_event_id = reader.last_event_id();
  return reading;
}

// Reads `text` whole, byte by byte and in pieces between; all must agree.
Reading ReadAll(std::string_view text, std::size_t limit = 1 << 20) {
  Reading whole = ReadInPieces(text, std::string_view::npos, limit);
  for (std::size_t piece : {1, 2, 3, 5, 7}) {
    const Reading cut = ReadInPieces(text, piece, limit);
    EXPECT_EQ(cut.events, whole.events) << "in pieces of " << piece;
    EXPECT_EQ(cut.too_large, whole.too_large) << "in pieces of " << piece;
    EXPECT_EQ(cut.retry, whole.retry) << "in pieces of " << piece;
    EXPECT_EQ(cut.last_event_id, whole.last_event_id) << "in pieces of " << piece;
  }
  return whole;
}

std::vector<SseEvent> Events(std::string_view text) { return ReadAll(text).events; }

SseEvent Data(std::string data, std::string id = "") {
  return {"message", std::move(data), std::move(id)};
}

TEST(SseReader, EndsLinesAtLfCrAndCrLf) {
  EXPECT_THAT(Events("data: a\n\ndata: b\n\n"), ElementsAre(Data("a"), Data("b")));
  EXPECT_THAT(Events("data: a\r\rdata: b\r\r"), ElementsAre(Data("a"), Data("b")));
  EXPECT_THAT(Events("data: a\r\n\r\ndata: b\r\n\r\n"), ElementsAre(Data("a"), Data("b")));
  EXPECT_THAT(Events("data: a\r\n\ndata: b\n\r\n"), ElementsAre(Data("a"), Data("b")));
  EXPECT_THAT(Events("data: a\n\rdata: b\r\n\r"), ElementsAre(Data("a"), Data("b")));
}

TEST(SseReader, ReadsFields) {
  const struct {
    std::string_view text;
    std::vector<SseEvent> events;
  } kRows[] = {
      {"data: one\n\n", {Data("one")}},
      {"data:one\n\n", {Data("one")}},
      {"data:  two spaces\n\n", {Data(" two spaces")}},
      {"data: a: b\n\n", {Data("a: b")}},
      {"data\n\n", {Data("")}},
      {"data\ndata\n\n", {Data("\n")}},
      {"data: a\ndata: b\ndata:\ndata: c\n\n", {Data("a\nb\n\nc")}},
      {"event: ping\ndata: x\n\n", {{"ping", "x", ""}}},
      {"event: ping\n\ndata: x\n\n", {Data("x")}},
      {"event: a\nevent:\ndata: x\n\n", {Data("x")}},
      {"DATA: x\n\n", {}},
      {" data: x\n\n", {}},
      {"foo: x\nbar\n\n", {}},
      {"\n\n\n", {}},
      {"data: unfinished\n", {}},
      {"data: unfinished", {}},
      {"", {}},
  };
  for (const auto& row : kRows) EXPECT_EQ(Events(row.text), row.events) << row.text;
}

TEST(SseReader, SkipsComments) {
  EXPECT_THAT(Events(": keep-alive\n\ndata: a\n:between\ndata: b\n:\n\n"),
              ElementsAre(Data("a\nb")));
}

TEST(SseReader, SkipsOneByteOrderMarkAtTheStart) {
  EXPECT_THAT(Events("\xEF\xBB\xBF"
                     "data: a\n\n"),
              ElementsAre(Data("a")));
  EXPECT_THAT(Events("\xEF\xBB\xBF\xEF\xBB\xBF"
                     "data: a\n\n"),
              IsEmpty());
  EXPECT_THAT(Events("\n\xEF\xBB\xBF"
                     "data: a\n\n"),
              IsEmpty());
}

TEST(SseReader, RemembersTheLastId) {
  const Reading reading = ReadAll("id: s1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: s2\ndata: d\n");
  EXPECT_THAT(reading.events, ElementsAre(Data("a", "s1"), Data("b", "s1"), Data("c")));
  // The event of s2 never ended, so a resume must not start after it.
  EXPECT_EQ(reading.last_event_id, "");
}

TEST(SseReader, DeliversAPrimingEvent) {  // H-46
  EXPECT_THAT(Events("id: s7-0\nretry: 1500\ndata:\n\n"), ElementsAre(Data("", "s7-0")));
  const Reading only_id = ReadAll("id: s7-0\n\n");
  EXPECT_THAT(only_id.events, ElementsAre(Data("", "s7-0")));
  EXPECT_EQ(only_id.last_event_id, "s7-0");
}

TEST(SseReader, IgnoresAnIdWithNulOrBeyondItsLimit) {
  using std::string_literals::operator""s;
  EXPECT_THAT(Events("id: ok\ndata: a\n\nid: b\0d\ndata: b\n\n"s),
              ElementsAre(Data("a", "ok"), Data("b", "ok")));
  const std::string longest(1024, 'i');
  EXPECT_THAT(Events("id: " + longest + "\ndata: a\n\n"), ElementsAre(Data("a", longest)));
  EXPECT_THAT(Events("id: " + longest + "i\ndata: a\n\n"), ElementsAre(Data("a")));
}

TEST(SseReader, KeepsNulInData) {
  using std::string_literals::operator""s;
  EXPECT_THAT(Events("data: a\0b\n\n"s), ElementsAre(Data("a\0b"s)));
}

TEST(SseReader, ReadsRetry) {  // H-48
  const struct {
    std::string_view value;
    std::optional<std::int64_t> retry;
  } kRows[] = {
      {"1500", 1500},
      {"0", 0},
      {"007", 7},
      {"9223372036854775807", INT64_MAX},
      {"9223372036854775808", std::nullopt},
      {"99999999999999999999999", std::nullopt},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"10s", std::nullopt},
      {" 5", std::nullopt},
  };
  for (const auto& row : kRows) {
    const Reading reading = ReadAll("retry: " + std::string(row.value) + "\n\n");
    EXPECT_EQ(reading.retry, row.retry) << row.value;
    EXPECT_THAT(reading.events, IsEmpty()) << row.value;
  }
  EXPECT_EQ(ReadAll("retry: 5\nretry: x\n").retry, 5);
}

TEST(SseReader, ReadsAnEventAtTheLimit) {
  // The line being read counts with what is kept of the lines before it.
  EXPECT_THAT(ReadAll("data: 0123456789\n\n", 16).events, ElementsAre(Data("0123456789")));
  EXPECT_FALSE(ReadAll("data: 0123456789\n\n", 16).too_large);
  EXPECT_FALSE(ReadAll("data: 0123\ndata: 012345\n\n", 16).too_large);
}

TEST(SseReader, RefusesAnEventPastTheLimit) {
  const Reading line = ReadAll("data: a\n\ndata: 0123456789a\n\ndata: b\n\n", 16);
  EXPECT_TRUE(line.too_large);
  EXPECT_THAT(line.events, ElementsAre(Data("a")));
  EXPECT_TRUE(ReadAll("data: 0123\ndata: 0123456\n\n", 16).too_large);
  EXPECT_TRUE(ReadAll("event: 0123\ndata: 0123456\n\n", 16).too_large);
  EXPECT_TRUE(ReadAll("id: 0123\ndata: 0123456\n\n", 16).too_large);
  EXPECT_TRUE(ReadAll(": a comment that never ends", 16).too_large);
}

TEST(SseReader, ForgetsWhatEventsHeld) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "data: 0123456789\n\n: comment 012345\n";
  const Reading reading = ReadAll(text, 16);
  EXPECT_FALSE(reading.too_large);
  EXPECT_EQ(reading.events.size(), 100u);
}

std::string Written(std::string_view id, std::string_view data) {
  std::string out;
  AppendSseEvent(id, data, &out);
  return out;
}

TEST(AppendSseEvent, WritesWhatItReads) {
  EXPECT_EQ(Written("s-1", "{}"), "id: s-1\ndata: {}\n\n");
  EXPECT_EQ(Written("", "{}"), "data: {}\n\n");
  EXPECT_EQ(Written("s-0", ""), "id: s-0\ndata:\n\n");
  for (std::string_view data : {"", "a", " a", "a\nb", "a\n", "\n", "\n\n", "a: b", ":"}) {
    EXPECT_THAT(Events(Written("s", data)), ElementsAre(Data(std::string(data), "s"))) << data;
  }
}

TEST(AppendSseEvent, MakesLinesOfEveryKindOfBreak) {
  EXPECT_EQ(Written("", "a\r\nb\rc\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(Written("", "a\r\n"), "data: a\ndata:\n\n");
}

TEST(AppendSseComment, IsSkipped) {
  std::string out;
  AppendSseComment("keep-alive", &out);
  EXPECT_EQ(out, ": keep-alive\n\n");
  EXPECT_THAT(Events(out), IsEmpty());
}

}  // namespace
}  // namespace mcp_session
