#include "mcp_session/cli/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mcp_session/cli/demo_pages.h"
#include "mcp_session/cli/demo_tools.h"
#include "mcp_session/factory/store_url.h"
#include "mcp_session/http/server.h"
#include "mcp_session/stdio/server.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr rlim_t kDescriptors = 65'536;

// Whether --store names the one store of this build; otherwise the complaint is made.
bool CheckStore(const std::string& store) {
  if (store == "auto") {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any other thread
    const char* redis = std::getenv("REDIS_URL");
    LogLine(redis != nullptr && *redis != '\0'
                ? "state is kept in memory: REDIS_URL is set, but this build has no Redis store"
                : "state is kept in memory and gone when this ends");
    return true;
  }
  const Result<StoreUrl> url = ParseStoreUrl(store);
  if (!url) {
    LogLine("--store: " + url.error().message);
    return false;
  }
  if (url->scheme == StoreScheme::kMemory) return true;
  LogLine(std::string("--store: this build has no ") +
          (url->scheme == StoreScheme::kFile ? "file" : "Redis") + " store; use memory");
  return false;
}

HostPolicy Hosts(const ServeOptions& options) {
  HostPolicy policy = LoopbackHosts();
  const bool v6 = options.host.find(':') != std::string::npos;
  const std::string given = v6 ? '[' + options.host + ']' : options.host;
  if (std::find(policy.hosts.begin(), policy.hosts.end(), given) == policy.hosts.end()) {
    policy.hosts.push_back(given);
  }
  policy.hosts.insert(policy.hosts.end(), options.allow_hosts.begin(), options.allow_hosts.end());
  policy.origins = options.allow_origins;
  return policy;
}

// As many connections as the system lets us have; 1024 descriptors is a common default.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kDescriptors);
  (void)setrlimit(RLIMIT_NOFILE, &limit);  // fewer will do
}

// Calls Stop of `host` at SIGTERM and SIGINT, each time.
template <typename Host>
void StopAtSignals(asio::signal_set& signals, Host& host) {
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    host.Stop();
    StopAtSignals(signals, host);
  });
}

int ServeHttp(const ServeOptions& options, asio::io_context& loop, McpServer& server) {
  RaiseDescriptorLimit();
  HttpServerOptions http;
  http.host = options.host;
  http.port = options.port;
  http.pages = DemoPages();
  HttpServer host(loop, server, http);
  const Result<HttpAddress> address = host.Listen();
  if (!address) {
    LogLine(address.error().message);
    return address.error().code == ErrorCode::kInvalidArgument ? kUsageError : kFailed;
  }
  boost::system::error_code error;
  const auto bound = asio::ip::make_address(address->host, error);
  if (!error && bound.is_unspecified() && options.allow_hosts.empty()) {
    LogLine(
        "listening on every address, but answering only to the loopback names: admit others "
        "with --allow-host");
  }
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  StopAtSignals(signals, host);
  const std::string origin = address->Origin();
  std::printf("mcp-session listening on %s%s\n", origin.c_str(), http.endpoint.c_str());
  std::printf("open %s/ in a browser\n", origin.c_str());
  std::fflush(stdout);
  host.Run();
  return 0;
}

int ServeStdio(asio::io_context& loop, McpServer& server) {
  StdioServer host(loop, server, {});
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  StopAtSignals(signals, host);
  const Result<void> served = host.Run();
  if (served) return 0;
  LogLine(served.error().message);
  return kFailed;
}

}  // namespace

int Serve(const ServeOptions& options) {
  if (!CheckStore(options.store)) return kUsageError;
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads us may go at any time
  asio::io_context loop(1);
  SystemEntropy entropy;
  MemorySessionStore store(MemoryStoreOptions{}, entropy);
  ServerOptions about;
  about.title = "mcp-session demonstration";
  about.instructions =
      "Baskets are kept under handles: create_basket makes one, the other basket tools take it.";
  about.hosts = Hosts(options);
  McpServer server(about, store, entropy);
  const Result<void> added = AddDemoTools(server, loop);
  if (!added) {
    LogLine("the demonstration tools: " + added.error().message);
    return kFailed;
  }
  return options.stdio ? ServeStdio(loop, server) : ServeHttp(options, loop, server);
}

}  // namespace mcp_session
