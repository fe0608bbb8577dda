#include "mcp_session/cli/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
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
#include "mcp_session/system/clock.h"
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

Result<std::vector<StateKey>> StateKeys(const ServeOptions& options, Entropy& entropy) {
  if (!options.state_keys) return std::vector<StateKey>{MakeStateKey(entropy)};
  Result<std::vector<StateKey>> keys = ParseStateKeys(*options.state_keys);
  if (!keys) keys.error().message.insert(0, "--state-keys: ");
  return keys;
}

using Loops = std::vector<std::unique_ptr<asio::io_context>>;

Loops MakeLoops(std::size_t count) {
  Loops loops;
  while (loops.size() < count) loops.push_back(std::make_unique<asio::io_context>(1));
  return loops;
}

// The stores, or nothing, and why, is said. Who asked for memory by name knows where state is.
Result<CreatedStores> OpenStores(const ServeOptions& options, const Loops& loops,
                                 Entropy& entropy) {
  std::vector<asio::io_context*> each;
  for (const auto& loop : loops) each.push_back(loop.get());
  Result<CreatedStores> created = CreateSessionStores(ToStoreOptions(options), each, entropy);
  if (!created) {
    Log(LogSeverity::kError, "no_store",
        (options.store == "auto" ? "" : "--store: ") + InWords(created.error()));
    return created;
  }
  const CreatedStore& first = created->stores.front();
  if (!first.fell_back && (options.store != "memory" || options.verbose)) {
    Log(LogSeverity::kInfo, "store", first.why, {{"backend", first.backend}});
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

ServerOptions About(const ServeOptions& options) {
  ServerOptions about;
  about.title = "mcp-session demonstration";
  about.instructions =
      "Baskets are kept under handles: create_basket makes one, the other basket tools take it.";
  about.hosts = Hosts(options);
  return about;
}

// What each loop has of its own, besides its store.
class Node {
 public:
  Node(const ServeOptions& options, asio::io_context& loop, Authenticator* authenticator,
       const CreatedStore& created, StateSealer& sealer, Entropy& entropy)
      : loop_(loop),
        authenticator_(authenticator),
        created_(created),
        store_(*created.store),
        server_(About(options), store_, entropy) {
    server_.CheckArgumentsWith(schemas_, [](std::string_view tool, std::string_view problem) {
      LogLine("the result of " + std::string(tool) + " is wrong: " + std::string(problem));
    });
    server_.SealStatesWith(sealer);
    server_.ServeTasks({.unix_millis = UnixMillis});
    server_.ServeChanges();
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Result<void> AddDemo(DemoShelf& shelf) {
    Result<void> added = AddDemoTools(server_, loop_);
    return added ? AddDemoShelf(server_, shelf) : added;
  }

  asio::io_context& loop() { return loop_; }
  McpServer& server() { return server_; }
  Authenticator* authenticator() { return authenticator_; }
  StoreOfLoop store() const { return {loop_, store_, created_}; }

 private:
  asio::io_context& loop_;
  Authenticator* const authenticator_;  // null: without
  const CreatedStore& created_;
  MeteredStore store_;
  const JsonSchemaValidator schemas_;
  McpServer server_;
};
using Nodes = std::vector<std::unique_ptr<Node>>;

std::vector<HttpDynamicPage> Pages(const ServeOptions& options, const Nodes& nodes) {
  std::vector<StoreOfLoop> stores;
  for (const auto& node : nodes) stores.push_back(node->store());
  return OperatorPages(std::move(stores), options.protect_metrics);
}

HttpServerOptions ToHttpOptions(const ServeOptions& options, const Nodes& nodes) {
  HttpServerOptions http;
  http.host = options.host;
  http.port = options.port;
  http.pages = DemoPages();
  http.content_security_policy = kDemoContentSecurityPolicy;
  http.dynamic_pages = Pages(options, nodes);
  http.tls = {options.tls_cert, options.tls_key, options.tls_client_ca};
  http.auth = ToAuthOptions(options, nodes.front()->authenticator());
  http.grace = Seconds(options.drain_timeout);
  http.caller_limits = {.requests_per_second = static_cast<double>(options.rate_limit),
                        .burst = static_cast<double>(options.rate_burst),
                        .max_open = options.max_open,
                        .max_streams = options.max_streams};
  return http;
}

int ServeHttp(const ServeOptions& options, const Nodes& nodes) {
  RaiseDescriptorLimit();
  const HttpServerOptions http = ToHttpOptions(options, nodes);
  asio::io_context& loop = nodes.front()->loop();
  HttpServer host(loop, nodes.front()->server(), http);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    host.AddLoop(nodes[i]->loop(), nodes[i]->server(), nodes[i]->authenticator());
  }
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
  try {
    host.Run();
  } catch (const std::system_error& failed) {
    Log(LogSeverity::kError, "failed", std::string("cannot start a thread: ") + failed.what());
    return kFailed;
  }
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
  SystemEntropy entropy;
  Result<std::vector<StateKey>> keys = StateKeys(options, entropy);
  if (!keys) return Complain(keys.error());
  KeyRingSealer sealer(std::move(*keys), entropy);
  const Loops loops = MakeLoops(options.threads);
  std::vector<std::unique_ptr<Authenticator>> authenticators;
  for (const auto& loop : loops) {
    Result<std::unique_ptr<Authenticator>> authenticator = MakeAuthenticator(options, *loop);
    if (!authenticator) return Complain(authenticator.error());
    authenticators.push_back(std::move(*authenticator));
  }
  const Result<CreatedStores> created = OpenStores(options, loops, entropy);
  if (!created) {
    return created.error().code == ErrorCode::kInvalidArgument ? kUsageError : kFailed;
  }
  DemoShelf shelf;
  Nodes nodes;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    nodes.push_back(std::make_unique<Node>(options, *loops[i], authenticators[i].get(),
                                           created->stores[i], sealer, entropy));
    if (const Result<void> added = nodes.back()->AddDemo(shelf); !added) {
      LogLine("the demonstration: " + added.error().message);
      return kFailed;
    }
  }
  if (options.stdio) return ServeStdio(*loops.front(), nodes.front()->server());
  return ServeHttp(options, nodes);
}

}  // namespace mcp_session
