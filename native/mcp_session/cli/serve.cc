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
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/cli/demo_pages.h"
#include "mcp_session/cli/demo_shelf.h"
#include "mcp_session/cli/demo_tools.h"
#include "mcp_session/cli/exit.h"
#include "mcp_session/cli/serve_auth.h"
#include "mcp_session/factory/create_store.h"
#include "mcp_session/health/operator_pages.h"
#include "mcp_session/http/server.h"
#include "mcp_session/metrics/metered_store.h"
#include "mcp_session/schema/json_schema_validator.h"
#include "mcp_session/seal/key_ring_sealer.h"
#include "mcp_session/stdio/server.h"
#include "mcp_session/system/entropy.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr rlim_t kDescriptors = 65'536;
// Of the memory, what callers without a name may take where others have one.
constexpr unsigned kAnonymousPercent = 20;

StoreOptions ToStoreOptions(const ServeOptions& options) {
  StoreOptions store;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any other thread
  ReadEnvironment([](const char* name) -> const char* { return std::getenv(name); }, &store);
  store.url = options.store;
  store.well_known_url = options.well_known;
  if (options.on_unavailable == "fail") store.on_unavailable = OnUnavailable::kFail;
  store.degrade_local = options.degrade == "local";
  if (!options.prefix.empty()) store.prefix = options.prefix;
  if (options.max_records != 0) {
    store.memory.max_records = store.max_file_records = options.max_records;
  }
  if (options.max_memory_mib != 0) store.memory.max_bytes = options.max_memory_mib << 20;
  if (WantsTokens(options)) store.memory.anonymous_percent = kAnonymousPercent;
  if (options.connect_timeout != 0) store.connect_timeout = Millis{options.connect_timeout};
  if (options.command_timeout != 0) store.command_timeout = Millis{options.command_timeout};
  store.verbose = options.verbose;
  store.log = [](std::string_view line) { Log(LogSeverity::kWarning, "store", line); };
  return store;
}

// The store, or nothing, and why, is said. Who asked for memory by name knows where state is.
Result<CreatedStore> OpenStore(const ServeOptions& options, asio::io_context& loop,
                               Entropy& entropy) {
  Result<CreatedStore> created = CreateSessionStore(ToStoreOptions(options), loop, entropy);
  if (!created) {
    Log(LogSeverity::kError, "no_store",
        (options.store == "auto" ? "" : "--store: ") + InWords(created.error()));
  } else if (!created->fell_back && (options.store != "memory" || options.verbose)) {
    Log(LogSeverity::kInfo, "store", created->why, {{"backend", created->backend}});
  }
  return created;
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

// Reads the certificate again at SIGHUP.
void ReloadAtSighup(asio::signal_set& signals, HttpServer& host) {
  boost::system::error_code ignored;  // it is added again each time, which is no error
  signals.add(SIGHUP, ignored);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    const Result<void> loaded = host.ReloadTls();
    if (loaded) {
      Log(LogSeverity::kInfo, "certificate_reloaded", "the certificate was read again");
    } else {
      Log(LogSeverity::kError, "certificate_refused", InWords(loaded.error()));
    }
    ReloadAtSighup(signals, host);
  });
}

int ServeHttp(const ServeOptions& options, asio::io_context& loop, McpServer& server,
              Authenticator* authenticator, std::vector<HttpDynamicPage> operator_pages) {
  RaiseDescriptorLimit();
  HttpServerOptions http;
  http.host = options.host;
  http.port = options.port;
  http.pages = DemoPages();
  http.dynamic_pages = std::move(operator_pages);
  http.tls = {options.tls_cert, options.tls_key, options.tls_client_ca};
  http.auth = ToAuthOptions(options, authenticator);
  http.grace = Seconds(options.drain_timeout);
  http.caller_limits = {.requests_per_second = static_cast<double>(options.rate_limit),
                        .burst = static_cast<double>(options.rate_burst),
                        .max_open = options.max_open,
                        .max_streams = options.max_streams};
  HttpServer host(loop, server, http);
  const Result<HttpAddress> address = host.Listen();
  if (!address) return Complain(address.error());
  boost::system::error_code error;
  const auto bound = asio::ip::make_address(address->host, error);
  if (!error && bound.is_unspecified() && options.allow_hosts.empty()) {
    Log(LogSeverity::kWarning, "unreachable",
        "listening on every address, but answering only to the loopback names: admit others "
        "with --allow-host");
  }
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  StopAtSignals(signals, host);
  asio::signal_set reload(loop);
  if (address->tls) ReloadAtSighup(reload, host);
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
  if (options.log_format == "json") SetLogFormat(LogFormat::kJson);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads us may go at any time
  asio::io_context loop(1);
  SystemEntropy entropy;
  const Result<std::unique_ptr<Authenticator>> authenticator = MakeAuthenticator(options, loop);
  if (!authenticator) return Complain(authenticator.error());
  const Result<CreatedStore> created = OpenStore(options, loop, entropy);
  if (!created) {
    return created.error().code == ErrorCode::kInvalidArgument ? kUsageError : kFailed;
  }
  MeteredStore store(*created->store);
  ServerOptions about;
  about.title = "mcp-session demonstration";
  about.instructions =
      "Baskets are kept under handles: create_basket makes one, the other basket tools take it.";
  about.hosts = Hosts(options);
  const JsonSchemaValidator schemas;
  KeyRingSealer sealer({MakeStateKey(entropy)}, entropy);
  McpServer server(about, store, entropy);
  server.CheckArgumentsWith(schemas, [](std::string_view tool, std::string_view problem) {
    LogLine("the result of " + std::string(tool) + " is wrong: " + std::string(problem));
  });
  server.SealStatesWith(sealer);
  Result<void> added = AddDemoTools(server, loop);
  if (added) added = AddDemoShelf(server);
  if (!added) {
    LogLine("the demonstration: " + added.error().message);
    return kFailed;
  }
  if (options.stdio) return ServeStdio(loop, server);
  return ServeHttp(options, loop, server, authenticator->get(),
                   OperatorPages(store, *created, options.protect_metrics));
}

}  // namespace mcp_session
