// The proxy does to connections what it is told, and nothing else.
#include "tests/faults/fault_proxy.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/loopback_listener.h"

namespace mcp_session {
namespace {

using Kind = Fault::Kind;
using Way = Fault::Way;

constexpr int kPatience = 20'000;  // milliseconds
constexpr int kLongEnough = 100;   // for what must not come

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { Close(); }

  void Say(std::string_view words) {
    EXPECT_EQ(send(fd_, words.data(), words.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(words.size()));
  }

  // `size` bytes, or fewer and what came then: "..FIN", "..RST", "..silence".
  std::string Hear(std::size_t size, int patience = kPatience) {
    std::string heard;
    while (heard.size() < size) {
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, patience) == 0) return heard + "..silence";
      std::array<char, 1024> buffer;
      const ssize_t got = recv(fd_, buffer.data(), std::min(size - heard.size(), buffer.size()), 0);
      ++reads_;
      if (got == 0) return heard + "..FIN";
      if (got < 0) return heard + (errno == ECONNRESET ? "..RST" : "..error");
      heard.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return heard;
  }

  int reads() const { return reads_; }
  bool connected() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
  int reads_ = 0;
};

int Connect(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackAddress(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  EXPECT_EQ(errno, ECONNREFUSED);
  close(fd);
  return -1;
}

class FaultProxyTest : public testing::Test {
 protected:
  FaultProxyTest() : listener_(ListenOnLoopback(&port_)), proxy_(port_) {}
  ~FaultProxyTest() override { close(listener_); }

  int Accept() { return accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); }

  static void AwaitTrue(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatience);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(condition());
  }

 private:
 protected:
  std::uint16_t port_ = 0;
  int listener_;
  FaultProxy proxy_;
};

TEST_F(FaultProxyTest, PassesBothWaysAndEnds) {
  Socket client(Connect(proxy_.port()));
  Socket server(Accept());
  client.Say("hello");
  EXPECT_EQ(server.Hear(5), "hello");
  server.Say("world");
  EXPECT_EQ(client.Hear(5), "world");
  server.Close();
  EXPECT_EQ(client.Hear(1), "..FIN");
  client.Close();
  AwaitTrue([this] { return proxy_.open() == 0; });
}

TEST_F(FaultProxyTest, StallsOneWayAndGoesOn) {
  Socket client(Connect(proxy_.port()));
  Socket server(Accept());
  proxy_.Set({Kind::kStall, Way::kDown});
  client.Say("question");
  EXPECT_EQ(server.Hear(8), "question");
  server.Say("answer");
  EXPECT_EQ(client.Hear(1, kLongEnough), "..silence");
  AwaitTrue([this] { return proxy_.held() == 6; });
  proxy_.Heal();
  EXPECT_EQ(client.Hear(6), "answer");
}

TEST_F(FaultProxyTest, DropsWhatIsHeldOfAClientThatHasGoneUnlessLate) {
  for (const bool late : {false, true}) {
    Socket client(Connect(proxy_.port()));
    Socket server(Accept());
    client.Say("1");
    EXPECT_EQ(server.Hear(1), "1");
    proxy_.Set({.kind = Kind::kStall, .late = late});
    client.Say("2");
    client.Close();
    EXPECT_EQ(server.Hear(1, kLongEnough), "..silence");
    proxy_.Heal();
    EXPECT_EQ(server.Hear(2), late ? "2..FIN" : "..FIN");
  }
}

TEST_F(FaultProxyTest, Delays) {
  Socket client(Connect(proxy_.port()));
  Socket server(Accept());
  proxy_.Set({.kind = Kind::kDelay, .way = Way::kUp, .delay = Millis{200}, .jitter = Millis{50}});
  const auto start = std::chrono::steady_clock::now();
  client.Say("question");
  EXPECT_EQ(server.Hear(8), "question");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
}

TEST_F(FaultProxyTest, Slices) {
  Socket client(Connect(proxy_.port()));
  Socket server(Accept());
  proxy_.Set({Kind::kSlice, Way::kDown});
  // On a busy machine some answers are together again before they are read.
  constexpr int kAnswers = 200;
  for (int i = 0; i < kAnswers; ++i) {
    server.Say("answer");
    ASSERT_EQ(client.Hear(6), "answer");
  }
  EXPECT_GT(client.reads(), kAnswers);
}

TEST_F(FaultProxyTest, CutsOnceAfterSoManyBytes) {
  for (const bool reset : {false, true}) {
    for (const std::size_t bytes : {0u, 3u}) {
      Socket client(Connect(proxy_.port()));
      Socket server(Accept());
      proxy_.Set({.kind = Kind::kCut, .way = Way::kDown, .bytes = bytes, .reset = reset});
      client.Say("question");
      EXPECT_EQ(server.Hear(8), "question");
      server.Say("answer");
      const std::string heard = client.Hear(6);
      if (reset) {
        // What came before an RST may be lost with it.
        EXPECT_TRUE(heard == "..RST" || heard == "ans..RST") << heard;
      } else {
        EXPECT_EQ(heard, std::string("ans").substr(0, bytes) + "..FIN");
      }
      EXPECT_NE(server.Hear(1).find(reset ? "..RST" : "..FIN"), std::string::npos);
      Socket next(Connect(proxy_.port()));
      Socket next_server(Accept());
      next_server.Say("whole answer");
      EXPECT_EQ(next.Hear(12), "whole answer");
    }
  }
  EXPECT_EQ(proxy_.strikes(), 4u);
}

TEST_F(FaultProxyTest, AcceptsAndIsSilent) {
  proxy_.Set({Kind::kSilence});
  Socket client(Connect(proxy_.port()));
  client.Say("question");
  EXPECT_EQ(client.Hear(1, kLongEnough), "..silence");
  proxy_.Heal();
  EXPECT_EQ(client.Hear(1, kLongEnough), "..silence") << "it has no server";
  client.Close();
  AwaitTrue([this] { return proxy_.open() == 0; });
}

TEST_F(FaultProxyTest, Refuses) {
  Socket client(Connect(proxy_.port()));
  Socket server(Accept());
  proxy_.Set({Kind::kRefuse});
  EXPECT_EQ(client.Hear(1), "..RST");
  EXPECT_EQ(server.Hear(1), "..RST");
  EXPECT_FALSE(Socket(Connect(proxy_.port())).connected());
  proxy_.Heal();
  EXPECT_TRUE(Socket(Connect(proxy_.port())).connected());
}

TEST_F(FaultProxyTest, EndsAllOnDemand) {
  for (const bool reset : {false, true}) {
    Socket client(Connect(proxy_.port()));
    Socket server(Accept());
    server.Say("1");
    EXPECT_EQ(client.Hear(1), "1");
    proxy_.EndAll(reset);
    EXPECT_EQ(client.Hear(1), reset ? "..RST" : "..FIN");
    EXPECT_EQ(server.Hear(1), reset ? "..RST" : "..FIN");
  }
  AwaitTrue([this] { return proxy_.open() == 0; });
}

}  // namespace
}  // namespace mcp_session
