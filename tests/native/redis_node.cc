#include "tests/native/redis_node.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>

#include "mcp_session/factory/create_store.h"

namespace mcp_session {

RedisNode::RedisNode(const RedisServer& redis, const ServerOptions& about, Millis command_timeout) {
  StoreOptions options;
  options.url = "redis://127.0.0.1:" + std::to_string(redis.port());
  options.on_unavailable = OnUnavailable::kFail;
  options.command_timeout = command_timeout;
  Result<CreatedStore> created = CreateSessionStore(options, loop_, entropy_);
  if (!created) std::abort();
  store_ = std::move(created->store);
  server_ = std::make_unique<McpServer>(about, *store_, entropy_);
}

RedisNode::~RedisNode() {
  Stop();
  Stop();
  thread_.join();
}

void RedisNode::Start() {
  HttpServerOptions http;
  http.port = 0;
  host_ = std::make_unique<HttpServer>(loop_, *server_, http);
  const auto address = host_->Listen();
  if (!address) std::abort();
  port_ = address->port;
  thread_ = std::thread([this] { host_->Run(); });
}

bool RedisNode::CancelledInTime() {
  return Eventually([this] { return !calls_.empty() && calls_.front().cancelled(); });
}

bool RedisNode::Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    const auto met = std::make_shared<std::promise<bool>>();
    boost::asio::post(loop_, [met, condition] { met->set_value(condition()); });
    std::future<bool> asked = met->get_future();
    if (asked.wait_until(end) != std::future_status::ready) return false;  // it does not run
    if (asked.get()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace mcp_session
