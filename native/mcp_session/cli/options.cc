#include "mcp_session/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>
#include <utility>

#include "mcp_session/cli/settings.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

constexpr int kUsageError = 2;
constexpr std::uint32_t kMaxCount = 1'000'000'000;
constexpr std::uint32_t kMaxThreads = 64;

std::uint32_t Processors() {
  return std::clamp<std::uint32_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
}

// One line, whatever the arguments had in them.
std::string InOneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

CliExit Usage(std::string complaint) {
  return CliExit{kUsageError, {}, InOneLine(std::move(complaint)) + " (see mcp-session --help)"};
}

// As CLI11 asks: the complaint, or nothing.
std::string IsPort(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stopped == end ? "" : "must be a number from 0 to 65535";
}

std::string IsPolicy(const std::string& text) {
  return text == "fallback" || text == "fail" ? "" : "must be fallback or fail";
}

std::string IsFrom(std::uint32_t least, std::uint32_t most, const std::string& text) {
  std::uint32_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, count);
  const bool fine = error == std::errc() && stopped == end && count >= least && count <= most;
  return fine ? ""
              : "must be a number from " + std::to_string(least) + " to " + std::to_string(most);
}

std::string IsCount(const std::string& text) { return IsFrom(1, kMaxCount, text); }
std::string IsThreads(const std::string& text) { return IsFrom(0, kMaxThreads, text); }

std::string IsDegrade(const std::string& text) { return text == "local" ? "" : "must be local"; }

std::string IsLogFormat(const std::string& text) {
  return text == "text" || text == "json" ? "" : "must be text or json";
}

void DefineLimits(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--max-records", options.max_records,
                  "Records that memory (100000) or a file (no limit) may hold")
      ->type_name("COUNT")
      ->check(IsCount, "");
  serve
      .add_option("--max-memory", options.max_memory_mib,
                  "What records in memory may take, in MiB (256)")
      ->type_name("MIB")
      ->check(IsCount, "");
  serve
      .add_option("--connect-timeout", options.connect_timeout,
                  "For a new connection to Redis to be ready, in milliseconds (500)")
      ->type_name("MS")
      ->check(IsCount, "");
  serve
      .add_option("--command-timeout", options.command_timeout,
                  "For Redis to answer a command, in milliseconds (250); then it is unavailable")
      ->type_name("MS")
      ->check(IsCount, "");
}

CLI::Option* DefineList(CLI::App& serve, const char* name, std::vector<std::string>& list,
                        const char* description) {
  return serve.add_option(name, list, description)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void DefineCallerLimits(CLI::App& serve, ServeOptions& options) {
  const auto define = [&](const char* name, std::uint32_t& count, const char* description) {
    serve.add_option(name, count, description)->type_name("COUNT")->check(IsCount, "");
  };
  define("--rate-limit", options.rate_limit,
         "Requests per second of one caller: a principal, or without tokens an address (no limit)");
  define("--rate-burst", options.rate_burst,
         "Requests of one caller at once, before --rate-limit holds (100)");
  define("--max-open-requests", options.max_open,
         "Requests of one caller that are being answered (no limit)");
  define("--max-streams", options.max_streams, "Streams of one caller (no limit)");
}

void DefineTls(CLI::App& serve, ServeOptions& options) {
  const auto define = [&](const char* name, std::string& file, const char* description) {
    serve.add_option(name, file, description)->type_name("FILE");
  };
  define("--tls-cert", options.tls_cert,
         "Speak TLS with this certificate and its chain, PEM; read again at SIGHUP");
  define("--tls-key", options.tls_key, "Its private key, PEM");
  define("--tls-client-ca", options.tls_client_ca,
         "Take only clients with a certificate that one of these signed, PEM");
}

void DefineAuth(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("--tokens", options.tokens,
                  "A file of bearer tokens, one a line: PRINCIPAL TOKEN [SCOPE...]")
      ->type_name("FILE");
  serve
      .add_option("--jwks", options.jwks,
                  "The public keys of the authorization server, by whose tokens callers are known: "
                  "https://HOST/PATH, or a file")
      ->type_name("URL");
  serve
      .add_option("--jwks-ca", options.jwks_ca,
                  "A PEM file of certificates to trust when fetching the keys")
      ->type_name("FILE");
  serve.add_option("--issuer", options.issuer, "Who made the tokens: their claim iss")
      ->type_name("URL");
  serve
      .add_option("--resource", options.resource,
                  "This server's URL as clients know it (https://mcp.example/mcp)")
      ->type_name("URL");
  DefineList(serve, "--audience", options.audiences,
             "What tokens for this server have in their claim aud, besides others (the resource); "
             "may be repeated")
      ->type_name("AUD");
  DefineList(serve, "--authorization-server", options.authorization_servers,
             "Where clients are sent for a token (the issuer); may be repeated")
      ->type_name("URL");
  DefineList(serve, "--require-scope", options.scopes,
             "A scope that every caller's token must have; may be repeated")
      ->type_name("SCOPE");
  serve
      .add_flag("--protect-metrics", options.protect_metrics,
                "Show /metrics only to callers with a token")
      ->disable_flag_override();
  serve
      .add_option("--state-keys", options.state_keys,
                  "What seals what stateless clients keep for the server while they are asked, the "
                  "same for all nodes: keys of 64 hexadecimal digits between commas. The first "
                  "seals, all open (one is made at the start)")
      ->type_name("KEYS")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join);
}

void Define(CLI::App& serve, ServeOptions& options) {
  serve.add_option("--host", options.host, "Address or name to listen on")
      ->type_name("HOST")
      ->capture_default_str();
  serve.add_option("--port", options.port, "Port to listen on; 0 takes any free one")
      ->type_name("PORT")
      ->check(IsPort, "")
      ->capture_default_str();
  serve
      .add_option("--store", options.store,
                  "Where state is kept: auto (REDIS_URL, else a Redis at localhost:6379, else "
                  "memory), memory, or the URL of a store (redis://HOST:PORT, rediss://HOST:PORT, "
                  "unix:///SOCKET, redis+sentinel://HOST,HOST/MASTER, redis+cluster://HOST,HOST, "
                  "file:PATH, which may be followed by ?synchronous=full, normal or off)")
      ->type_name("STORE")
      ->capture_default_str();
  serve
      .add_option("--well-known", options.well_known,
                  "The Redis that auto looks for when there is no REDIS_URL")
      ->type_name("URL")
      ->capture_default_str();
  serve
      .add_option("--on-unavailable", options.on_unavailable,
                  "If Redis cannot be reached at the start: fallback (go on in memory, with a "
                  "warning; for development) or fail (end; for production)")
      ->type_name("POLICY")
      ->check(IsPolicy, "")
      ->capture_default_str();
  serve
      .add_option("--degrade", options.degrade,
                  "local: while the store is away, keep new records in memory and move them when "
                  "it is back")
      ->type_name("HOW")
      ->check(IsDegrade, "");
  serve.add_option("--prefix", options.prefix, "Of every key in Redis (mcp:session:)")
      ->type_name("PREFIX");
  DefineLimits(serve, options);
  serve.add_flag("--verbose", options.verbose, "Say what is looked at on the way to a store")
      ->disable_flag_override();
  serve
      .add_option("--log-format", options.log_format,
                  "Of the lines on stderr: text, or json, an object in each")
      ->type_name("FORMAT")
      ->check(IsLogFormat, "")
      ->capture_default_str();
  serve
      .add_option(
          "--threads", options.threads,
          "Event loops, each on a processor of its own if there is one; 0: as many as there "
          "are processors")
      ->type_name("COUNT")
      ->check(IsThreads, "")
      ->capture_default_str();
  serve
      .add_option("--drain-timeout", options.drain_timeout,
                  "What calls that run at SIGTERM have to finish, in seconds")
      ->type_name("SECONDS")
      ->check(IsCount, "")
      ->capture_default_str();
  serve
      .add_flag("--stdio", options.stdio,
                "Speak over stdin and stdout, one message per line, instead of HTTP")
      ->disable_flag_override();
  DefineList(serve, "--allow-host", options.allow_hosts,
             "A Host header to answer to besides the loopback names and --host; may be repeated")
      ->type_name("NAME");
  DefineList(serve, "--allow-origin", options.allow_origins,
             "An origin whose pages may call besides our own (https://app.example); may be "
             "repeated")
      ->type_name("ORIGIN");
  DefineTls(serve, options);
  DefineAuth(serve, options);
  DefineCallerLimits(serve, options);
}

// A tag has 22 characters; fewer than 8 of them are too easily somebody else's.
bool IsTag(std::string_view text) {
  return text.size() >= 8 && text.size() <= 22 &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
             "0123456789-_") == std::string_view::npos;
}

// Tags may begin with '-', which CLI11 takes for options. On its way through it they have this
// before them. No option of ours looks like a tag, but for the one.
constexpr char kTagMark = '=';

void MarkTags(std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] != "sessions") return;
  for (std::string& argument : arguments) {
    if (argument.starts_with('-') && argument != "--prefix" && IsTag(argument)) {
      argument.insert(argument.begin(), kTagMark);
    }
  }
}

void UnmarkTag(std::string& tag) {
  if (tag.starts_with(kTagMark)) tag.erase(0, 1);
}

std::string CheckTag(const std::string& text) {
  std::string tag = text;
  UnmarkTag(tag);
  return IsTag(tag) ? "" : "must be the first 8 to 22 characters of a tag";
}

constexpr const char* kStoreHelp =
    "The URL of the store (redis://HOST:PORT, file:PATH, ...); by default what REDIS_URL says";
constexpr const char* kPrefixHelp = "Of every key in Redis (mcp:session:)";

void Define(CLI::App& check, CheckOptions& options) {
  check.add_option("store", options.store, kStoreHelp)->type_name("URL");
  check.add_option("--prefix", options.prefix, kPrefixHelp)->type_name("PREFIX");
}

CLI::App* DefineAction(CLI::App& sessions, SessionsOptions& options, const char* name,
                       const char* description) {
  CLI::App* action = sessions.add_subcommand(name, description);
  action->add_option("--store", options.store, kStoreHelp)->type_name("URL");
  action->add_option("--prefix", options.prefix, kPrefixHelp)->type_name("PREFIX");
  action->add_flag("--json", options.json, "Print JSON instead of text")->disable_flag_override();
  action->allow_extras();
  return action;
}

void Define(CLI::App& sessions, SessionsOptions& options) {
  using Action = SessionsOptions::Action;
  CLI::App* list = DefineAction(sessions, options, "list",
                                "List the records of a store by their tags. Ids are never shown.");
  list->add_option("--kind", options.kind, "Only records of this kind (session, basket, ...)")
      ->type_name("KIND");
  list->callback([&options] { options.action = Action::kList; });
  CLI::App* show = DefineAction(sessions, options, "show", "Tell all about one, but for its data.");
  show->callback([&options] { options.action = Action::kShow; });
  CLI::App* end = DefineAction(sessions, options, "end", "End one: its owner finds it gone.");
  end->callback([&options] { options.action = Action::kEnd; });
  for (CLI::App* action : {show, end}) {
    action->add_option("tag", options.tag, "How its tag begins, as list shows it")
        ->type_name("TAG")
        ->check(CheckTag, "")
        ->required();
  }
  sessions.require_subcommand(1);
}

void Define(CLI::App& migrate, MigrateOptions& options) {
  migrate.add_option("--from", options.from, "The URL of the store to copy")
      ->type_name("URL")
      ->required();
  migrate.add_option("--to", options.to, "The URL of the store to copy to")
      ->type_name("URL")
      ->required();
}

void Define(CLI::App& asking, AskOptions& options, AskOptions::Action action) {
  asking
      .add_option("url", options.url,
                  "The server: http://HOST/PATH, https://HOST/PATH, or 'stdio:COMMAND', which is "
                  "run by the shell")
      ->type_name("URL")
      ->required();
  if (action == AskOptions::Action::kCall) {
    asking.add_option("tool", options.tool, "The tool's name")->type_name("TOOL")->required();
    asking.add_option("arguments", options.arguments, "Its arguments, a JSON object")
        ->type_name("JSON");
  }
  asking.add_flag("--json", options.json, "Print the whole result as one line of JSON")
      ->disable_flag_override();
  asking
      .add_option("--token-file", options.token_file,
                  "A file with the bearer token to send; over http:// only to this machine")
      ->type_name("FILE");
  asking.add_option("--ca", options.ca_file, "A PEM file of certificates to trust the server by")
      ->type_name("FILE");
  asking
      .add_option("--timeout", options.timeout,
                  "How long to wait without an answer or progress, in seconds (60)")
      ->type_name("SECONDS")
      ->check(IsCount, "");
  asking.callback([&options, action] { options.action = action; });
}

// The store of a command that needs one: as given, else REDIS_URL's.
bool NameStore(std::string& store, const std::string& redis_url) {
  if (store.empty()) store = redis_url;
  return !store.empty();
}

}  // namespace

Command ParseCommandLine(int argc, const char* const* argv, const Environment& environment) {
  const char* named = environment("REDIS_URL");
  const std::string redis_url = named == nullptr ? "" : named;
  std::string config;
  ServeOptions serve_options;
  CheckOptions check_options;
  SessionsOptions sessions_options;
  MigrateOptions migrate_options;
  CLI::App app("Keeps the state of Model Context Protocol conversations.", "mcp-session");
  app.set_version_flag("--version", "mcp-session " + ServerOptions().version);
  CLI::App& serve = *app.add_subcommand("serve", "Run a server with a few demonstration tools.");
  Define(serve, serve_options);
  DefineSettings(serve, config);
  CLI::App& check =
      *app.add_subcommand("check", "Try a store, and look for what would hurt later.");
  Define(check, check_options);
  CLI::App& sessions = *app.add_subcommand("sessions", "Look at what is in a store, or end it.");
  Define(sessions, sessions_options);
  CLI::App& migrate = *app.add_subcommand(
      "migrate", "Copy all records of a store to another one. Running it again goes on.");
  Define(migrate, migrate_options);
  AskOptions ask_options;
  CLI::App& tools = *app.add_subcommand("tools", "List the tools of a server.");
  Define(tools, ask_options, AskOptions::Action::kTools);
  CLI::App& call = *app.add_subcommand("call", "Call a tool of a server, and print its answer.");
  Define(call, ask_options, AskOptions::Action::kCall);
  // What nobody knows is named by us, not by an exception.
  app.allow_extras();
  for (CLI::App* command : {&serve, &check, &sessions, &migrate, &tools, &call})
    command->allow_extras();
  std::vector<std::string> arguments(argv + 1, argv + argc);
  MarkTags(arguments);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  // CLI11 tells everything by exceptions, --help included.
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    return CliExit{0, std::string(version.what()) + "\n", {}};
  } catch (const CLI::CallForHelp&) {
    return CliExit{0, app.help("", CLI::AppFormatMode::All), {}};
  } catch (const CLI::ParseError& error) {
    return Usage(error.what());
  }
  UnmarkTag(sessions_options.tag);
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty()) {
    const std::string first = Redact(InOneLine(unknown.front()));  // it may be a key
    return Usage((first.starts_with('-') ? "unknown option " : "unknown argument ") + first);
  }
  if (serve.parsed()) {
    std::string complaint = CompleteSettings(serve, config, environment);
    if (!complaint.empty()) return Usage(std::move(complaint));
    const bool tls = !serve_options.tls_cert.empty();
    if (tls == serve_options.tls_key.empty() || (!tls && !serve_options.tls_client_ca.empty())) {
      return Usage("--tls-cert and --tls-key belong together");
    }
    if (serve_options.threads == 0) serve_options.threads = Processors();
    if (serve_options.threads > 1 && serve_options.stdio) {
      return Usage("--stdio is for one thread: its one client is on one loop");
    }
    if (serve_options.threads > 1 && !serve_options.degrade.empty()) {
      return Usage("--degrade local is for one thread: other loops would not have what it keeps");
    }
    return serve_options;
  }
  if (migrate.parsed()) return migrate_options;
  if (tools.parsed() || call.parsed()) return ask_options;
  constexpr const char* kWhich = "which store? Give its URL, or set REDIS_URL";
  if (check.parsed()) {
    if (!NameStore(check_options.store, redis_url)) return Usage(kWhich);
    return check_options;
  }
  if (sessions.parsed()) {
    if (!NameStore(sessions_options.store, redis_url)) return Usage(kWhich);
    return sessions_options;
  }
  return Usage("there must be a command: mcp-session serve");
}

}  // namespace mcp_session
