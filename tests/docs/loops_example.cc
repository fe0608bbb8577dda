// The example of docs/server.md with several event loops.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/http/server.h"
#include "mcp_session/memory/shared_memory.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/system/entropy.h"

using namespace mcp_session;

namespace {

Result<void> AddTools(McpServer& server) {
  return server.AddTool({.name = "hello"}, [](ToolCall&) { return ToolResult::Text("Hello."); });
}

// What each loop has of its own.
struct Node {
  Node(SharedMemory& memory, Entropy& entropy)
      : store(memory, loop.get_executor()), server({.name = "notes"}, store, entropy) {}

  boost::asio::io_context loop;
  SharedMemoryStore store;
  McpServer server;
};

class Notes {
 public:
  explicit Notes(std::size_t loops) {
    while (nodes_.size() < loops) nodes_.push_back(std::make_unique<Node>(memory_, entropy_));
  }

  Result<HttpAddress> Listen(HttpServerOptions options) {
    for (const auto& node : nodes_) {
      if (auto added = AddTools(node->server); !added) return tl::unexpected(added.error());
    }
    http_ = std::make_unique<HttpServer>(nodes_[0]->loop, nodes_[0]->server, std::move(options));
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      http_->AddLoop(nodes_[i]->loop, nodes_[i]->server);
    }
    return http_->Listen();
  }

  void Run() { http_->Run(); }
  void Stop() { http_->Stop(); }

 private:
  SystemEntropy entropy_;
  SharedMemory memory_{{}, entropy_};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<HttpServer> http_;
};

TEST(Loops, ServeAndStop) {
  Notes notes(3);
  const auto address = notes.Listen({.port = 0});
  ASSERT_TRUE(address);
  EXPECT_NE(address->port, 0);
  notes.Stop();
  notes.Run();
}

}  // namespace
