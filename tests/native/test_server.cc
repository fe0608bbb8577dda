#include "tests/native/test_server.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

void FloodOn(asio::io_context& loop, ToolCall call, int round) {
  if (call.cancelled()) return;
  call.Progress(round, std::nullopt, std::string(64u << 10, 'x'));
  asio::post(loop, [&loop, call, round] { FloodOn(loop, call, round + 1); });
}

Tool Named(const char* name) {
  Tool tool;
  tool.name = name;
  return tool;
}

ServerOptions About() {
  ServerOptions options;
  options.hosts = LoopbackHosts();
  return options;
}

}  // namespace

struct TestServer::Inside {
  Inside(HttpServerOptions options, const std::function<void(McpServer&)>& set_up)
      : loop(1), work(loop.get_executor()), store({}, entropy), mcp(About(), store, entropy) {
    if (set_up) set_up(mcp);
    AddTools();
    options.port = 0;
    http = std::make_unique<HttpServer>(loop, mcp, std::move(options));
    const Result<HttpAddress> address = http->Listen();
    if (!address) {
      std::cerr << address.error().message << '\n';
      std::abort();
    }
    port = address->port;
    thread = std::thread([this] {
      http->Run();
      finished.set_value();
      while (!released) loop.run_one_for(std::chrono::milliseconds(10));  // OnLoop still works
    });
  }

  void Add(const char* name, ToolHandler handler) {
    if (!mcp.AddTool(Named(name), std::move(handler))) std::abort();
  }

  void AddTools() {
    Add("echo", [](ToolCall call) {
      const auto text = call.StringArgument("text");
      call.Reply(text ? ToolResult::Text(*text) : ToolResult::Error(text.error().message));
    });
    Add("hold", [this](ToolCall call) { held.push_back(std::move(call)); });
    Add("throw",
        [](ToolCall) { throw std::runtime_error("no such thing: basket_Zk3vQe0mT9cJrA2yXw8LhA"); });
    Add("flood", [this](ToolCall call) {
      held.push_back(call);
      FloodOn(loop, std::move(call), 1);
    });
    Add("large", [](ToolCall call) {
      const auto bytes = call.IntegerArgument("bytes");
      call.Reply(ToolResult::Text(std::string(static_cast<std::size_t>(bytes.value_or(0)), 'x')));
    });
  }

  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  SystemEntropy entropy;
  MemorySessionStore store;
  McpServer mcp;
  std::unique_ptr<HttpServer> http;
  std::uint16_t port = 0;
  std::vector<ToolCall> held;
  std::promise<void> finished;
  std::atomic<bool> released = false;
  std::thread thread;
};

TestServer::TestServer(HttpServerOptions options,
                       const std::function<void(McpServer& server)>& set_up)
    : inside_(std::make_unique<Inside>(std::move(options), set_up)) {}

TestServer::~TestServer() {
  Stop();
  Stop();
  inside_->released = true;
  inside_->thread.join();
  inside_->http.reset();
}

std::uint16_t TestServer::port() const { return inside_->port; }

void TestServer::OnLoop(const std::function<void()>& action) {
  const auto done = std::make_shared<std::promise<void>>();
  asio::post(inside_->loop, [&action, done] {
    action();
    done->set_value();
  });
  done->get_future().wait();
}

bool TestServer::Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    bool met = false;
    OnLoop([&] { met = condition(); });
    if (met || std::chrono::steady_clock::now() > end) return met;
    std::this_thread::yield();
  }
}

std::vector<ToolCall>& TestServer::held() { return inside_->held; }

bool TestServer::Release(std::size_t index) {
  return Eventually([&] {
    if (held().size() <= index) return false;
    held()[index].Reply(ToolResult::Text("released"));
    return true;
  });
}

void TestServer::Stop() { inside_->http->Stop(); }

void TestServer::Join() { inside_->finished.get_future().wait(); }

}  // namespace mcp_session
