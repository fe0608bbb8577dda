// McpClient: a Model Context Protocol client without its sockets. Ask for tools, hand it what the
// transport reports, do its effects. The hosts (native/mcp_session/http, stdio; the JavaScript
// package) do the last two for you.
//
// One thread. Time comes in as an argument and never goes back. Everything that is to be done or
// told is appended to `effects` in order and owned by whoever reads them (session/client_event.h
// says what each means); answers to a call carry the CallId that started it. A call may fail
// before its function returns, so look at the effects after having kept the id.
#ifndef MCP_SESSION_CLIENT_MCP_CLIENT_H_
#define MCP_SESSION_CLIENT_MCP_CLIENT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/client/result_cache.h"
#include "mcp_session/client/subscription.h"
#include "mcp_session/client/tool_catalog.h"
#include "mcp_session/session/client_engine.h"

namespace mcp_session {

struct CallOptions {
  bool wants_progress = false;    // tell Progressed
  std::optional<Millis> timeout;  // without an answer or progress; else as in ClientOptions
  // CallTool and Call: may be sent again if the connection breaks (client_event::Request). What
  // reads does so anyway, as do tools that the last ListTools said are read-only or idempotent.
  bool repeatable = false;
};

class McpClient {
 public:
  // How many pages a list may have (spec P-08 sets no end).
  static constexpr int kMaxPages = 100;

  explicit McpClient(ClientOptions options);
  McpClient(const McpClient&) = delete;
  McpClient& operator=(const McpClient&) = delete;

  // As ClientEngine's: the application answers Asked.
  void AnswerQuestions() { engine_.AnswerQuestions(); }

  // Connects: Opened or OpenFailed. Not needed before a call, which connects by itself.
  void Open(Instant now, ClientEffects* effects);

  // Ends the session; calls that wait fail with kCancelled. Closed.
  void Close(Instant now, ClientEffects* effects);

  // All of a list, whatever the number of pages: Answered with the first page's result, its
  // `tools`, `resources`, `resourceTemplates` or `prompts` complete and without a nextCursor.
  // `options` hold for each page. Fails with kTooLarge after kMaxPages, with kPeer if a page has
  // no such member. In the stateless era a list is asked for again only after its ttlMs, or when
  // the server has said that it changed (spec F-12).
  //
  // Of a stateless server over HTTP, list the tools before calling them: only what was listed has
  // its arguments repeated in headers where the server wants that (spec S-37). Tools that no
  // headers can follow are left out of the list (spec S-38; dropped_tools).
  CallId ListTools(const CallOptions& options, Instant now, ClientEffects* effects);
  CallId ListResources(const CallOptions& options, Instant now, ClientEffects* effects);
  CallId ListResourceTemplates(const CallOptions& options, Instant now, ClientEffects* effects);
  CallId ListPrompts(const CallOptions& options, Instant now, ClientEffects* effects);

  // Runs a tool: Answered with {content, structuredContent?, isError?, ...} (spec F-03). A tool
  // that failed is answered with isError, a tool that does not exist fails with kInvalidParams.
  // Without AnswerQuestions the answer of a stateless server may instead be one
  // of resultType input_required (spec M-04).
  // A stateless server over HTTP may refuse the call for its headers: then the tools are listed
  // anew, and if that gives it other headers the call is sent again, once, with a time of its own
  // (spec S-40). `arguments` is an object, or null for none.
  CallId CallTool(std::string_view name, Json arguments, const CallOptions& options, Instant now,
                  ClientEffects* effects);

  // Answered with {contents: [{uri, mimeType?, text or blob}]} (spec F-06). In the stateless era it
  // is asked for again only after its ttlMs, or when the server has said that it, or a list of
  // resources, changed (spec F-12): of the last results ResultCache::kMaxEntries are kept.
  CallId ReadResource(std::string_view uri, const CallOptions& options, Instant now,
                      ClientEffects* effects);

  // Answered with {description?, messages} (spec F-08). `arguments` is an object of strings, or
  // null for none.
  CallId GetPrompt(std::string_view name, Json arguments, const CallOptions& options, Instant now,
                   ClientEffects* effects);

  // What an argument may be, as far as typed: Answered with {completion: {values, ...}} (spec
  // F-09). `ref` is {type: "ref/prompt", name} or {type: "ref/resource", uri}; `chosen`, what the
  // other arguments are, is an object or null.
  CallId Complete(Json ref, std::string_view argument, std::string_view typed, Json chosen,
                  const CallOptions& options, Instant now, ClientEffects* effects);

  // Listens for changes, in the place of what was listened for before; for nothing if `wanted` is
  // empty. Answered with {notifications: {toolsListChanged?, promptsListChanged?,
  // resourcesListChanged?, resourceSubscriptions?}}, what the server will tell of it, which may be
  // less; from then on Notified tells it. Failed: nothing is listened for; kInvalidArgument if
  // there are more than Subscriber::kMaxUris. `options.timeout` is for all of it.
  //
  // What is listened for stays so until Close, over broken streams, new sessions and channels (spec
  // U-05). Each time that it was interrupted and goes on again, Notified tells
  // notifications/subscriptions/acknowledged with the same params as above: what changed in between
  // was not told. In a session over HTTP it takes ClientOptions::listens to hear anything.
  CallId Subscribe(Subscription wanted, const CallOptions& options, Instant now,
                   ClientEffects* effects);

  // What is listened for; null: nothing, or its Subscribe is not answered. And for a client that
  // takes the place of another one: goes on with that.
  const Subscription* subscription() const { return subscriber_.current(); }
  void TakeOver(Subscription wanted, Instant now, ClientEffects* effects);

  // Whether a channel is to be made, followed by Open, to listen again.
  bool wants_channel() const { return subscriber_.wants_channel(); }

  // Any other request. `params` is an object, or null for none.
  CallId Call(std::string_view method, Json params, const CallOptions& options, Instant now,
              ClientEffects* effects);

  // Asks a handshake-era server for a sign of life: Answered with {}. Fails with kMethodNotFound
  // in the stateless era, which has no such request (spec P-04).
  CallId Ping(Instant now, ClientEffects* effects);

  // Gives a call up: Failed with kCancelled, and the server is told. A call that is over already
  // is ignored.
  void Cancel(CallId call, Instant now, ClientEffects* effects);

  // Answers client_effect::Asked: with a result, an object, or with why there is none.
  void Reply(QuestionId question, std::variant<Json, RpcError> outcome, Instant now,
             ClientEffects* effects);

  // What the last ListTools left out.
  const std::vector<DroppedTool>& dropped_tools() const { return tools_.dropped(); }

  // What the last Opened said; null unless open. For EncodeSavedSession.
  const client_effect::Opened* session() const { return opened_ ? &*opened_ : nullptr; }

  // Something of the transport happened, or a deadline passed. Not for the application's events:
  // the functions above send those.
  void Handle(ClientEvent event, Instant now, ClientEffects* effects);

  // When to send client_event::Woken next; kNever if nothing waits for time to pass.
  Instant NextDeadline() const { return std::min(engine_.NextDeadline(), subscriber_.deadline()); }

 private:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // A list that is not complete.
  struct Listing {
    CallId call;  // what the application knows
    CallId page;  // the engine's call for the page under way
    std::string_view method;
    std::string_view member;
    CallOptions options;
    int pages = 0;
    bool stale = false;  // the server said so before it was whole
    Json result;         // of the pages so far; null before the first
  };

  // A tool's call whose headers the server may refuse.
  struct ToolTry {
    CallId call;
    std::string name;
    Json arguments;
    CallOptions options;
    Headers headers;                               // it was sent with
    std::optional<client_effect::Failed> refusal;  // it waits for refresh_
  };

  // A resource that is being read.
  struct Reading {
    CallId call;
    std::string uri;
    bool stale = false;  // the answer is not to be kept
  };

  CallId List(std::string_view method, std::string_view member, const CallOptions& options,
              Instant now, ClientEffects* effects);
  // These leave what they bring to Digest.
  void SendTool(ToolTry tool, Instant now, ClientEffects* effects);
  // Whether the tools are listed anew because of it, which it waits for.
  bool TakeRefusal(client_effect::Failed& failed, Instant now, ClientEffects* effects);
  std::vector<ToolTry> TakeRefused();
  void LoseSubscription(const ClientEffect& effect, Instant now, ClientEffects* effects);
  CallId Read(std::string_view method, Json params, CallOptions options, Instant now,
              ClientEffects* effects);
  void RequestPage(Listing& listing, Json params, Instant now, ClientEffects* effects);
  // Takes what concerns this out of the effects from `from` on.
  void Digest(std::size_t from, Instant now, ClientEffects* effects);
  // What is to be told of an Answered or Failed goes into `effects` at `at`: how many.
  std::size_t EndCall(ClientEffect end, std::size_t at, Instant now, ClientEffects* effects);
  Subscriber::Turn TurnAt(Instant now, ClientEffects* effects) {
    return {engine_, last_call_, session(), now, effects};
  }
  void Hear(const client_effect::Notified& notified);
  Reading* FindReading(CallId call);
  // Null: it failed.
  void EndReading(CallId call, const Json* result, Instant now);
  Listing* FindListing(CallId page);
  void EndListing(const Listing* listing);
  // Adds a page; what to tell if that ends the listing.
  std::optional<ClientEffect> AddPage(Listing& listing, Json page, Instant now,
                                      ClientEffects* effects);
  bool stateless() const { return opened_ && opened_->era == Era::kStateless; }

  ClientEngine engine_;
  const bool over_http_;
  const Millis request_timeout_;
  Subscriber subscriber_;
  std::uint64_t last_call_ = 0;
  std::optional<client_effect::Opened> opened_;
  std::vector<Listing> listings_;
  ToolCatalog tools_;
  std::vector<ToolTry> tries_;
  CallId refresh_;  // the list of tools that refused calls wait for; 0: none
  std::vector<Reading> readings_;
  ResultCache cache_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_MCP_CLIENT_H_
