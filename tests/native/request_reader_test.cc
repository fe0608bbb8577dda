#include "mcp_session/http/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {
namespace {

using ::testing::ElementsAre;
using Progress = RequestReader::Progress;

constexpr ReadLimits kLimits{.max_head_bytes = 512, .max_body_bytes = 64};

void Feed(RequestReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = reader.Prepare();
    const std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    reader.Commit(n);
    bytes.remove_prefix(n);
  }
}

// Everything that a reader says about some bytes, one line per request.
std::vector<std::string> ReadAll(std::string_view bytes, const std::vector<std::size_t>& cuts,
                                 const ReadLimits& limits = kLimits) {
  RequestReader reader(limits);
  std::vector<std::string> said;
  const auto feed = [&](std::string_view piece) {
    while (!piece.empty()) {
      const std::span<char> room = reader.Prepare();
      EXPECT_FALSE(room.empty());
      const std::size_t n = std::min(room.size(), piece.size());
      std::memcpy(room.data(), piece.data(), n);
      reader.Commit(n);
      piece.remove_prefix(n);
      for (;;) {
        const Progress progress = reader.Read();
        if (progress == Progress::kNeedMore) break;
        if (progress == Progress::kHeadRead) continue;
        if (progress == Progress::kFailed) {
          said.push_back("failed " + std::to_string(reader.failure_status()));
          return false;
        }
        std::string line(reader.method());
        line += ' ' + std::string(reader.target()) + (reader.http_1_0() ? " 1.0" : " 1.1");
        line += reader.keep_alive() ? " keep" : " close";
        for (std::size_t i = 0; i < reader.header_count(); ++i) {
          line += " [" + std::string(reader.header_name(i)) + "=" +
                  std::string(reader.header_value(i)) + "]";
        }
        said.push_back(line + " " + std::string(reader.body()));
        reader.Next();
      }
    }
    return true;
  };
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    if (!feed(bytes.substr(begin, cut - begin))) return said;
    begin = cut;
  }
  feed(bytes.substr(begin));
  return said;
}

// Fed whole, byte by byte and in random pieces, bytes mean the same.
std::vector<std::string> ReadAnyhow(std::string_view bytes, const ReadLimits& limits = kLimits) {
  const std::vector<std::string> whole = ReadAll(bytes, {}, limits);
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i < bytes.size(); ++i) every.push_back(i);
  EXPECT_EQ(ReadAll(bytes, every, limits), whole) << "byte by byte";
  std::minstd_rand random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::size_t> cuts;
    std::sample(every.begin(), every.end(), std::back_inserter(cuts), 1 + round, random);
    EXPECT_EQ(ReadAll(bytes, cuts, limits), whole) << "cut at random, round " << round;
  }
  return whole;
}

TEST(RequestReader, ReadsARequestWithABody) {
  EXPECT_THAT(ReadAnyhow("POST /mcp?x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"),
              ElementsAre("POST /mcp?x 1.1 keep [Host=a] [Content-Length=4] body"));
}

TEST(RequestReader, ReadsRequestsBehindEachOther) {
  EXPECT_THAT(
      ReadAnyhow("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
                 "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                 "\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
      ElementsAre("GET /a 1.1 keep [Host=a] ", "POST /b 1.1 keep [Host=a] [Content-Length=2] hi",
                  "GET /c 1.1 close [Host=a] [Connection=close] "));
}

TEST(RequestReader, PutsChunksTogetherAndDropsTrailers) {
  EXPECT_THAT(ReadAnyhow("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "3;ext=1\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n"
                         "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"),
              ElementsAre("POST / 1.1 keep [Host=a] [Transfer-Encoding=chunked] abc0123456789",
                          "GET /next 1.1 keep [Host=a] "));
}

TEST(RequestReader, TakesThePathOfAnAbsoluteTarget) {
  EXPECT_THAT(ReadAnyhow("GET http://example.com/mcp?a=b HTTP/1.1\r\nHost: a\r\n\r\n"),
              ElementsAre("GET /mcp?a=b 1.1 keep [Host=a] "));
}

TEST(RequestReader, KnowsHttp10) {
  EXPECT_THAT(ReadAnyhow("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              ElementsAre("GET / 1.0 close ", "GET / 1.0 keep [Connection=keep-alive] "));
}

TEST(RequestReader, KeepsEmptyHeaderValues) {
  EXPECT_THAT(ReadAnyhow("GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Blank:  \t \r\n\r\n"),
              ElementsAre("GET / 1.1 keep [Host=a] [X-Empty=] [X-Blank=] "));
}

TEST(RequestReader, SaysOnceThatTheHeadIsThere) {
  RequestReader reader(kLimits);
  const std::string_view head =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
      "Content-Length: 1\r\n\r\n";
  Feed(reader, head);
  EXPECT_EQ(reader.Read(), Progress::kHeadRead);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_FALSE(reader.in_head());
  EXPECT_EQ(reader.Read(), Progress::kNeedMore);
  Feed(reader, "x");
  EXPECT_EQ(reader.Read(), Progress::kComplete);
  EXPECT_EQ(reader.body(), "x");
}

// A connection reads on while it answers: the kernel may write into the room at any time.
TEST(RequestReader, LeavesTheRoomItGaveAlone) {
  const std::string_view next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string large(100'000, 'x');
  const std::string firsts[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + large,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n" + large +
          "\r\n0\r\n\r\n",
  };
  for (const std::string& first : firsts) {
    RequestReader reader(ReadLimits{.max_head_bytes = 512, .max_body_bytes = 1u << 20});
    Feed(reader, first);
    const std::span<char> room = reader.Prepare();
    ASSERT_GE(room.size(), next.size());
    ASSERT_EQ(reader.Read(), Progress::kComplete);
    std::memcpy(room.data(), next.data(), next.size());
    reader.Next();
    EXPECT_EQ(reader.Read(), Progress::kNeedMore);
    reader.Commit(next.size());
    ASSERT_EQ(reader.Read(), Progress::kComplete);
    EXPECT_EQ(reader.target(), "/next");
  }
}

TEST(RequestReader, TakesNoMemoryForWhatWasOnlyAnnounced) {
  RequestReader reader(ReadLimits{.max_head_bytes = 512, .max_body_bytes = 64u << 20});
  const std::string_view head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n";
  Feed(reader, head);
  EXPECT_EQ(reader.Read(), Progress::kHeadRead);
  (void)reader.Prepare();
  EXPECT_LE(reader.capacity(), 32u << 10);
}

TEST(RequestReader, GivesBackTheMemoryOfALargeRequest) {
  const std::string body(1u << 20, 'x');
  for (const bool chunked : {false, true}) {
    RequestReader reader(ReadLimits{.max_head_bytes = 512, .max_body_bytes = 2u << 20});
    std::string request = "POST / HTTP/1.1\r\nHost: a\r\n";
    request += chunked ? "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + body + "\r\n0\r\n\r\n"
                       : "Content-Length: 1048576\r\n\r\n" + body;
    Feed(reader, request);
    ASSERT_EQ(reader.Read(), Progress::kComplete);
    EXPECT_EQ(reader.body(), body);
    reader.Next();
    EXPECT_LE(reader.capacity(), 64u << 10);
  }
}

struct Refused {
  const char* what;
  std::string request;
  int status;
};

TEST(RequestReader, RefusesWhatIsMalformedOrTooLarge) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const Refused rows[] = {
      {"no HTTP", "\x16\x03\x01 hello\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
      {"NUL in a header", std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29), 400},
      {"absolute target without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"negative length", post + "Content-Length: -1\r\n\r\n", 400},
      {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"length and chunks", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunks and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"chunks twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"gzip", post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"chunks in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {"no chunk size", chunked + "xyz\r\n", 400},
      {"chunk without its end", chunked + "1\r\nabcdefg\r\n", 400},
      {"odd expectation", post + "Expect: a-miracle\r\n\r\n", 417},
      {"long body", post + "Content-Length: 65\r\n\r\n", 413},
      {"absurd body", post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {"long chunk", chunked + "41\r\nxxxx", 413},
      {"long chunks", chunked + "40\r\n" + std::string(64, 'x') + "\r\n1\r\n", 413},
      {"long header", post + "X: " + std::string(600, 'x'), 431},
      {"many headers",
       post +
           [] {
             std::string headers;
             for (int i = 0; i < 100; ++i) headers += "X: y\r\n";
             return headers;
           }(),
       431},
      {"long target", "GET /" + std::string(600, 'x'), 431},
      {"long chunk extension", chunked + "1;" + std::string(600, 'x'), 431},
      {"long trailers", chunked + "0\r\nX: " + std::string(600, 'x'), 431},
  };
  for (const Refused& row : rows) {
    EXPECT_THAT(ReadAnyhow(row.request), ElementsAre("failed " + std::to_string(row.status)))
        << row.what;
  }
}

TEST(RequestReader, TakesGarbageTheSameHoweverItComes) {
  const std::string seeds[] = {
      "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\nHost: "
      "b\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=\"y\"\r\nabc\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.0\r\n\r\n",
  };
  const std::string_view bytes("\r\n :;,0129afx\0\xff", 16);
  std::minstd_rand random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string input = seeds[round % 2];
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % input.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0:
          input[at] = byte;
          break;
        case 1:
          input.insert(at, 1, byte);
          break;
        default:
          input.erase(at, 1 + random() % 3);
          break;
      }
    }
    std::vector<std::size_t> every;
    for (std::size_t i = 1; i < input.size(); ++i) every.push_back(i);
    std::vector<std::string> whole = ReadAll(input, {});
    std::vector<std::string> bytewise = ReadAll(input, every);
    // What is no request may be refused sooner or later, but what is one is the same.
    for (auto* said : {&whole, &bytewise}) {
      if (!said->empty() && said->back().starts_with("failed ")) said->pop_back();
    }
    EXPECT_EQ(bytewise, whole) << testing::PrintToString(input);
  }
}

TEST(RequestReader, TakesWhatIsExactlyAtTheLimits) {
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\nX: ";
  head += std::string(512 - 4 - head.size(), 'x') + "\r\n\r\n";
  ASSERT_EQ(head.size(), 512u);
  EXPECT_EQ(ReadAnyhow(head + std::string(64, 'b')).size(), 1u);
  EXPECT_THAT(ReadAnyhow("X" + head), ElementsAre("failed 431"));
}

}  // namespace
}  // namespace mcp_session
