// StdioServer over pipes, and how it cuts its input into lines.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/stdio/line_reader.h"
#include "mcp_session/stdio/server.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// --- lines ---

std::vector<std::string> Lines(std::string_view input, std::size_t piece) {
  LineReader reader(5);
  std::vector<std::string> lines;
  const auto note = [&](const LineReader::Line& line) {
    lines.push_back(line.too_long ? "too long" : std::string(line.text));
  };
  while (!input.empty()) {
    std::string_view bytes = input.substr(0, piece);
    input.remove_prefix(bytes.size());
    while (const auto line = reader.Next(&bytes)) note(*line);
    EXPECT_TRUE(bytes.empty());
  }
  if (const auto line = reader.Last()) note(*line);
  return lines;
}

TEST(LineReader, CutsTheSameHoweverTheInputComes) {
  for (const std::size_t piece : {1, 2, 3, 7, 100}) {
    EXPECT_THAT(Lines("ab\ncd\r\n\n12345\n12345\r\nlast", piece),
                ElementsAre("ab", "cd", "", "12345", "12345", "last"));
    EXPECT_THAT(Lines("123456\nok\n", piece), ElementsAre("too long", "ok"));
    EXPECT_THAT(Lines("1234567890123\nok\n12345678\r\nx\n", piece),
                ElementsAre("too long", "ok", "too long", "x"));
    EXPECT_THAT(Lines("1234567890", piece), ElementsAre("too long"));
    EXPECT_THAT(Lines("123456", piece), ElementsAre("too long"));
  }
}

// --- the server ---

constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})"
                                   "\n";
constexpr std::string_view kPong = R"({"jsonrpc":"2.0","id":1,"result":{}})"
                                   "\n";

std::string Call(std::string_view tool, std::string_view meta = {}) {
  return R"({"jsonrpc":"2.0","id":")" + std::string(tool) +
         R"(","method":"tools/call","params":{"name":")" + std::string(tool) +
         R"(","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
         R"("io.modelcontextprotocol/clientCapabilities":{})" +
         std::string(meta) + "}}}\n";
}

Tool Named(const char* name) {
  Tool tool;
  tool.name = name;
  return tool;
}

// A server on a thread, between two pipes.
class StdioServerTest : public testing::Test {
 protected:
  StdioServerTest() : store_({}, entropy_), mcp_({}, store_, entropy_) {
    std::signal(SIGPIPE, SIG_IGN);
    if (pipe2(in_.data(), O_CLOEXEC) != 0 || pipe2(out_.data(), O_CLOEXEC) != 0) std::abort();
    EXPECT_TRUE(
        mcp_.AddTool(Named("hold"), [this](ToolCall call) { held_.push_back(std::move(call)); }));
    EXPECT_TRUE(mcp_.AddTool(Named("throw"), [](ToolCall&) -> ToolResult { throw 1; }));
    EXPECT_TRUE(mcp_.AddTool(Named("small"), [](ToolCall&) { return ToolResult::Text("x"); }));
    EXPECT_TRUE(mcp_.AddTool(
        Named("large"), [](ToolCall&) { return ToolResult::Text(std::string(1u << 20, 'x')); }));
  }

  ~StdioServerTest() override {
    if (thread_.joinable()) Join();
    held_.clear();
    for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) {
      if (fd >= 0) close(fd);
    }
  }

  void Start(StdioServerOptions options = {}) {
    options.input = in_[0];
    options.output = out_[1];
    server_ = std::make_unique<StdioServer>(loop_, mcp_, options);
    thread_ = std::thread([this] {
      result_ = server_->Run();
      close(std::exchange(out_[1], -1));
    });
  }

  void Join() {
    CloseInput();
    thread_.join();
    server_.reset();
  }

  void Write(std::string_view bytes) {
    ASSERT_EQ(write(in_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void CloseInput() {
    if (in_[1] >= 0) close(std::exchange(in_[1], -1));
  }
  std::string ReadLine() {
    std::size_t end = 0;
    while ((end = unread_.find('\n', end)) == std::string::npos) {
      end = unread_.size();
      pollfd waiting{out_[0], POLLIN, 0};
      if (poll(&waiting, 1, 10'000) <= 0) return {};
      std::array<char, 65536> buffer;
      const ssize_t n = read(out_[0], buffer.data(), buffer.size());
      if (n <= 0) return std::exchange(unread_, {});
      unread_.append(buffer.data(), static_cast<std::size_t>(n));
    }
    std::string line = unread_.substr(0, end + 1);
    unread_.erase(0, end + 1);
    return line;
  }

  std::array<int, 2> in_;
  std::array<int, 2> out_;
  std::string unread_;
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  MemorySessionStore store_;
  McpServer mcp_;
  std::vector<ToolCall> held_;
  std::unique_ptr<StdioServer> server_;
  std::thread thread_;
  Result<void> result_;
};

TEST_F(StdioServerTest, AnswersLineByLine) {
  Start();
  Write(std::string(kPing) + "\r\n\n" + std::string(kPing));
  EXPECT_EQ(ReadLine(), kPong);
  EXPECT_EQ(ReadLine(), kPong);
  Write(kPing.substr(0, 10));
  Write(kPing.substr(10));
  EXPECT_EQ(ReadLine(), kPong);
}

TEST_F(StdioServerTest, SkipsALineThatIsTooLongAndSaysSo) {
  StdioServerOptions options;
  options.max_message_bytes = 100;
  Start(options);
  Write(std::string(1000, 'x'));
  EXPECT_EQ(ReadLine(), R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is too )"
                        R"(large"}})"
                        "\n");
  Write(std::string(1000, 'x') + "\n" + std::string(kPing));
  EXPECT_EQ(ReadLine(), kPong);
}

TEST_F(StdioServerTest, AnswersWhatIsNoMessage) {
  Start();
  Write("hello\n" + std::string(kPing));
  EXPECT_THAT(ReadLine(), HasSubstr("-32700"));
  EXPECT_EQ(ReadLine(), kPong);
}

TEST_F(StdioServerTest, AnswersForAHandlerThatThrows) {
  testing::internal::CaptureStderr();
  Start();
  Write(Call("throw"));
  EXPECT_THAT(ReadLine(), HasSubstr("the tool failed"));
  Join();
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "mcp-session: a handler threw: something that is no std::exception\n");
}

TEST_F(StdioServerTest, EndsWithTheInput) {
  Start();
  CloseInput();
  EXPECT_EQ(ReadLine(), "");
  Join();
  EXPECT_TRUE(result_);
}

TEST_F(StdioServerTest, DoesNotWaitForEverForACallAtTheEnd) {
  StdioServerOptions options;
  options.grace = Millis{30};
  Start(options);
  Write(Call("hold"));
  CloseInput();
  EXPECT_EQ(ReadLine(), "");
  Join();
  ASSERT_EQ(held_.size(), 1u);
  EXPECT_TRUE(held_[0].cancelled());
}

TEST_F(StdioServerTest, IsNotPatientTwice) {
  StdioServerOptions options;
  options.grace = Hours(1);
  Start(options);
  Write(Call("hold") + Call("small"));
  EXPECT_THAT(ReadLine(), HasSubstr(R"("text":"x")"));
  server_->Stop();
  server_->Stop();
  EXPECT_EQ(ReadLine(), "");
  Join();
}

TEST_F(StdioServerTest, WaitsForASlowReader) {
  StdioServerOptions options;
  options.max_queued_bytes = 1000;  // nothing more is read while an answer waits
  Start(options);
  for (int i = 0; i < 5; ++i) Write(Call("large") + Call("small"));
  CloseInput();
  for (int i = 0; i < 5; ++i) {
    EXPECT_GT(ReadLine().size(), 1u << 20);
    EXPECT_THAT(ReadLine(), HasSubstr(R"("text":"x")"));
  }
  EXPECT_EQ(ReadLine(), "");
}

TEST_F(StdioServerTest, GivesUpAReaderThatNeverReads) {
  StdioServerOptions options;
  options.max_queued_bytes = 10'000;
  Start(options);
  Write(Call("hold", R"(,"progressToken":1)") + Call("small"));
  EXPECT_THAT(ReadLine(), HasSubstr(R"("text":"x")"));
  boost::asio::post(loop_, [this] {
    for (int i = 1; i < 100; ++i) held_[0].Progress(i, std::nullopt, std::string(10'000, 'x'));
  });
  thread_.join();
  EXPECT_TRUE(held_[0].cancelled());
}

TEST_F(StdioServerTest, EndsWhenTheReaderGoes) {
  Start();
  close(std::exchange(out_[0], -1));
  Write(kPing);
  thread_.join();
  EXPECT_TRUE(result_);
}

TEST_F(StdioServerTest, TakesFilesForPipes) {
  std::FILE* input = std::tmpfile();
  std::FILE* output = std::tmpfile();
  ASSERT_TRUE(input != nullptr && output != nullptr);
  std::fputs(std::string(kPing).c_str(), input);
  std::rewind(input);
  StdioServerOptions options;
  options.input = fileno(input);
  options.output = fileno(output);
  StdioServer server(loop_, mcp_, options);
  EXPECT_TRUE(server.Run());
  std::rewind(output);
  std::array<char, 100> line{};
  EXPECT_NE(std::fgets(line.data(), line.size(), output), nullptr);
  EXPECT_EQ(line.data(), kPong);
  std::fclose(input);
  std::fclose(output);
}

TEST_F(StdioServerTest, PutsTheDescriptorsBackAsTheyWere) {
  const int before = fcntl(in_[0], F_GETFL);
  Start();
  Write(kPing);
  EXPECT_EQ(ReadLine(), kPong);
  Join();
  EXPECT_EQ(fcntl(in_[0], F_GETFL), before);
}

TEST_F(StdioServerTest, SaysThatADescriptorIsUnusable) {
  StdioServerOptions options;
  options.input = -1;
  StdioServer server(loop_, mcp_, options);
  const Result<void> result = server.Run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTransport);
}

}  // namespace
}  // namespace mcp_session
