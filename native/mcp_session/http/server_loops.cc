// HttpServer: its options, and its loops together.
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/http/server.h"
#include "mcp_session/http/server_state.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

std::string_view Complaint(const HttpServerOptions& options) {
  if (options.endpoint.empty() || options.endpoint[0] != '/') return "the endpoint is no path";
  if (options.max_connections == 0 || options.max_connections > kSlotMask) {
    return "max_connections is out of range";
  }
  if (options.max_header_bytes < 256 || options.max_header_bytes > (1u << 20)) {
    return "max_header_bytes is out of range";
  }
  for (const Millis time : {options.head_time, options.body_time, options.idle_time,
                            options.write_time, options.keep_alive_interval}) {
    if (time <= Millis{0}) return "a time is not positive";
  }
  const HttpCallerLimits& caller = options.caller_limits;
  if (caller.requests_per_second < 0 || caller.burst < 1 || caller.max_callers == 0) {
    return "a limit for each caller is out of range";
  }
  return Complaint(options.auth);
}

}  // namespace

HttpServer::HttpServer(asio::io_context& loop, McpServer& server, HttpServerOptions options)
    : shared_(std::make_unique<Shared>(std::move(options))) {
  AddLoop(loop, server);
}
HttpServer::~HttpServer() = default;

void HttpServer::AddLoop(asio::io_context& loop, McpServer& server, Authenticator* authenticator) {
  if (authenticator == nullptr) authenticator = shared_->options.auth.authenticator;
  loops_.push_back(std::make_unique<State>(*shared_, loop, server, authenticator));
  shared_->loops.push_back(loops_.back().get());
}

Result<HttpAddress> HttpServer::Listen() {
  if (const auto complaint = Complaint(shared_->options); !complaint.empty()) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, std::string(complaint));
  }
  for (const auto& loop : loops_) {
    if (loop->has_authenticator() == loops_.front()->has_authenticator()) continue;
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "some loops have an authenticator, others have none");
  }
  if (Result<void> loaded = ReloadTls(); !loaded) {
    return tl::unexpected<Error>(std::move(loaded.error()));
  }
  return loops_.front()->Listen();
}

void HttpServer::Run() {
  std::vector<std::jthread> threads;
  // However this ends, the threads do.
  struct Ending {
    Shared& shared;
    ~Ending() {
      if (shared.finished) return;
      for (State* loop : shared.loops) loop->loop().stop();
    }
  };
  const Ending ending{*shared_};
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([loop = loops_[i].get()] { loop->Run(); });
  }
  loops_.front()->Run();
}

void HttpServer::Stop() { loops_.front()->Stop(); }
void HttpServer::Wake() { loops_.front()->Wake(); }

Result<void> HttpServer::ReloadTls() {
  const HttpTlsOptions& files = shared_->options.tls;
  if (files.certificate_file.empty()) return {};
  MCPS_TRY(const std::shared_ptr<TlsContext> tls, TlsContext::Load(files));
  for (const auto& loop : loops_) loop->UseTls(tls);
  return {};
}

}  // namespace mcp_session
