// The command line of the program mcp-session.
#ifndef MCP_SESSION_CLI_OPTIONS_H_
#define MCP_SESSION_CLI_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mcp_session {

// mcp-session serve
struct ServeOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8808;
  std::string store = "auto";
  std::string well_known = "redis://localhost:6379";  // where auto looks without REDIS_URL
  std::string on_unavailable = "fallback";            // or "fail"
  std::string degrade;                                // "local" or empty
  std::string prefix;  // of keys in Redis; empty: as the factory has it
  // 0: as the factory has it.
  std::size_t max_records = 0;       // in memory and in a file
  std::size_t max_memory_mib = 0;    // of records in memory
  std::int64_t connect_timeout = 0;  // to Redis, in milliseconds
  std::int64_t command_timeout = 0;  // of Redis, in milliseconds
  bool verbose = false;
  std::string log_format = "text";  // or "json"
  std::uint32_t threads = 1;        // event loops; 0: as many as there are processors
  std::uint32_t drain_timeout = 5;  // what running calls have at the end, in seconds
  bool stdio = false;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> allow_origins;
  std::string tls_cert;  // PEM files; empty: without TLS
  std::string tls_key;
  std::string tls_client_ca;
  // Who may call; without `tokens` and `jwks` everybody.
  std::string tokens;                  // a file (auth/static_token_authenticator.h)
  std::string jwks;                    // a URL or a file
  std::string jwks_ca;                 // a PEM file: whom to trust when fetching `jwks`
  std::string issuer;                  // of the tokens
  std::vector<std::string> audiences;  // what tokens are made out to; empty: the resource
  std::string resource;                // this server's URL, as clients know it
  std::vector<std::string> authorization_servers;  // empty: the issuer
  std::vector<std::string> scopes;                 // that every caller needs
  bool protect_metrics = false;
  std::optional<std::string>
      state_keys;  // of all nodes (seal/key_ring_sealer.h); none: one is made
  // Of one caller; 0: no limit.
  std::uint32_t rate_limit = 0;    // requests per second
  std::uint32_t rate_burst = 100;  // requests at once
  std::uint32_t max_open = 0;
  std::uint32_t max_streams = 0;
};

// mcp-session check
struct CheckOptions {
  std::string store;
  std::string prefix;
};

// mcp-session sessions list, show, end
struct SessionsOptions {
  enum class Action : std::uint8_t { kList, kShow, kEnd };
  Action action = Action::kList;
  std::string store;
  std::string prefix;
  std::string tag;   // the beginning of a record's tag; of show and end
  std::string kind;  // of list: only those; empty: all
  bool json = false;
};

// mcp-session migrate
struct MigrateOptions {
  std::string from;
  std::string to;
};

// mcp-session tools, call
struct AskOptions {
  enum class Action : std::uint8_t { kTools, kCall };
  Action action = Action::kTools;
  std::string url;  // http://..., https://..., or stdio: and a command for the shell
  std::string tool;
  std::string arguments;  // a JSON object; empty: none
  bool json = false;
  std::string token_file;
  std::string ca_file;
  std::uint32_t timeout = 0;  // in seconds; 0: as the client has it
};

// The command line wants no work done: what to print, and how to exit.
struct CliExit {
  int code = 0;
  std::string out;    // for stdout
  std::string error;  // one line for stderr, without its end; may be empty
};

using Command =
    std::variant<ServeOptions, CheckOptions, SessionsOptions, MigrateOptions, AskOptions, CliExit>;

// `environment` is std::getenv, or what a test says instead: REDIS_URL is the store of check and
// sessions, if no other is named, and MCP_SESSION_... are options of serve.
Command ParseCommandLine(int argc, const char* const* argv,
                         const std::function<const char*(const char* name)>& environment);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_OPTIONS_H_
