#include "mcp_session/client/mcp_client.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

Error Malformed() { return {ErrorCode::kPeer, Blame::kPeer, "the list is none"}; }

Error Cancelled() { return {ErrorCode::kCancelled, Blame::kCaller, "the request was given up"}; }

Error Endless() { return {ErrorCode::kTooLarge, Blame::kPeer, "the list has too many pages"}; }

}  // namespace

McpClient::McpClient(ClientOptions options)
    : engine_(options),
      over_http_(options.transport == ClientTransport::kHttp),
      request_timeout_(options.request_timeout),
      subscriber_(options.transport) {}

void McpClient::Open(Instant now, ClientEffects* effects) {
  Handle(client_event::Open{}, now, effects);
}

void McpClient::Close(Instant now, ClientEffects* effects) {
  const std::size_t from = effects->size();
  subscriber_.Closed(TurnAt(now, effects));
  Digest(from, now, effects);
  Handle(client_event::Close{}, now, effects);
}

CallId McpClient::Call(std::string_view method, Json params, const CallOptions& options,
                       Instant now, ClientEffects* effects) {
  const CallId call{++last_call_};
  Handle(client_event::Request{call, method, std::move(params), options.wants_progress,
                               options.timeout, options.repeatable},
         now, effects);
  return call;
}

CallId McpClient::Read(std::string_view method, Json params, CallOptions options, Instant now,
                       ClientEffects* effects) {
  options.repeatable = true;
  return Call(method, std::move(params), options, now, effects);
}

CallId McpClient::CallTool(std::string_view name, Json arguments, const CallOptions& options,
                           Instant now, ClientEffects* effects) {
  ToolTry tool{CallId{++last_call_}, std::string(name), std::move(arguments), options, {}, {}};
  tool.options.repeatable = options.repeatable || tools_.IsRepeatable(name);
  tool.headers = tools_.HeadersOf(name, tool.arguments);
  const CallId call = tool.call;
  // Who is asked while it opens may turn out to be stateless.
  if (over_http_ && (!opened_ || stateless())) tries_.push_back(tool);
  const std::size_t from = effects->size();
  SendTool(std::move(tool), now, effects);
  Digest(from, now, effects);
  return call;
}

void McpClient::SendTool(ToolTry tool, Instant now, ClientEffects* effects) {
  Json params = EmptyObject();
  params["name"] = std::move(tool.name);
  if (!tool.arguments.is_null()) params["arguments"] = std::move(tool.arguments);
  engine_.Handle(
      client_event::Request{tool.call, "tools/call", std::move(params), tool.options.wants_progress,
                            tool.options.timeout, tool.options.repeatable, std::move(tool.headers)},
      now, effects);
}

bool McpClient::TakeRefusal(client_effect::Failed& failed, Instant now, ClientEffects* effects) {
  const auto tool = std::find_if(tries_.begin(), tries_.end(), [&](const ToolTry& each) {
    return each.call == failed.call && !each.refusal;
  });
  if (tool == tries_.end() || failed.error.code != ErrorCode::kHeaderMismatch) return false;
  tool->refusal = std::move(failed);
  if (refresh_.number != 0) return true;
  cache_.Forget("tools/list", {});
  refresh_ = CallId{++last_call_};
  listings_.push_back({.call = refresh_, .method = "tools/list", .member = "tools"});
  RequestPage(listings_.back(), Json(), now, effects);
  return true;
}

std::vector<McpClient::ToolTry> McpClient::TakeRefused() {
  refresh_ = {};
  std::vector<ToolTry> refused;
  std::vector<ToolTry> others;
  for (ToolTry& tool : tries_) (tool.refusal ? refused : others).push_back(std::move(tool));
  tries_ = std::move(others);
  return refused;
}

CallId McpClient::ReadResource(std::string_view uri, const CallOptions& options, Instant now,
                               ClientEffects* effects) {
  const CallId call{++last_call_};
  if (const Json* cached = cache_.Find("resources/read", uri, now)) {
    effects->push_back(client_effect::Answered{call, *cached});
    return call;
  }
  readings_.push_back({call, std::string(uri)});
  Json params = EmptyObject();
  params["uri"] = std::string(uri);
  Handle(client_event::Request{call, "resources/read", std::move(params), options.wants_progress,
                               options.timeout, true},
         now, effects);
  return call;
}

CallId McpClient::GetPrompt(std::string_view name, Json arguments, const CallOptions& options,
                            Instant now, ClientEffects* effects) {
  Json params = EmptyObject();
  params["name"] = std::string(name);
  if (!arguments.is_null()) params["arguments"] = std::move(arguments);
  return Read("prompts/get", std::move(params), options, now, effects);
}

CallId McpClient::Complete(Json ref, std::string_view argument, std::string_view typed, Json chosen,
                           const CallOptions& options, Instant now, ClientEffects* effects) {
  Json params = EmptyObject();
  params["ref"] = std::move(ref);
  Json what = EmptyObject();
  what["name"] = std::string(argument);
  what["value"] = std::string(typed);
  params["argument"] = std::move(what);
  if (!chosen.is_null()) {
    Json context = EmptyObject();
    context["arguments"] = std::move(chosen);
    params["context"] = std::move(context);
  }
  return Read("completion/complete", std::move(params), options, now, effects);
}

CallId McpClient::Ping(Instant now, ClientEffects* effects) {
  if (!stateless()) return Read("ping", {}, {}, now, effects);
  const CallId call{++last_call_};
  effects->push_back(client_effect::Failed{
      call, {ErrorCode::kMethodNotFound, Blame::kCaller, "the stateless era has no ping"}, {}});
  return call;
}

CallId McpClient::ListTools(const CallOptions& options, Instant now, ClientEffects* effects) {
  return List("tools/list", "tools", options, now, effects);
}

CallId McpClient::ListResources(const CallOptions& options, Instant now, ClientEffects* effects) {
  return List("resources/list", "resources", options, now, effects);
}

CallId McpClient::ListResourceTemplates(const CallOptions& options, Instant now,
                                        ClientEffects* effects) {
  return List("resources/templates/list", "resourceTemplates", options, now, effects);
}

CallId McpClient::ListPrompts(const CallOptions& options, Instant now, ClientEffects* effects) {
  return List("prompts/list", "prompts", options, now, effects);
}

CallId McpClient::List(std::string_view method, std::string_view member, const CallOptions& options,
                       Instant now, ClientEffects* effects) {
  const CallId call{++last_call_};
  if (const Json* cached = cache_.Find(method, {}, now)) {
    effects->push_back(client_effect::Answered{call, *cached});
    return call;
  }
  const std::size_t from = effects->size();
  listings_.push_back({.call = call, .method = method, .member = member, .options = options});
  RequestPage(listings_.back(), Json(), now, effects);
  Digest(from, now, effects);
  return call;
}

CallId McpClient::Subscribe(Subscription wanted, const CallOptions& options, Instant now,
                            ClientEffects* effects) {
  const CallId call{++last_call_};
  const std::size_t from = effects->size();
  subscriber_.Subscribe(call, std::move(wanted), options.timeout.value_or(request_timeout_),
                        TurnAt(now, effects));
  Digest(from, now, effects);
  return call;
}

void McpClient::TakeOver(Subscription wanted, Instant now, ClientEffects* effects) {
  subscriber_.TakeOver(std::move(wanted), TurnAt(now, effects));
}

void McpClient::Cancel(CallId call, Instant now, ClientEffects* effects) {
  const std::size_t from = effects->size();
  if (subscriber_.Cancel(call, TurnAt(now, effects))) return Digest(from, now, effects);
  const auto refused = std::find_if(tries_.begin(), tries_.end(), [&](const ToolTry& tool) {
    return tool.call == call && tool.refusal.has_value();
  });
  if (refused != tries_.end()) {
    effects->push_back(client_effect::Failed{call, Cancelled(), {}});
    tries_.erase(refused);
    return;
  }
  for (const Listing& listing : listings_) {
    if (listing.call == call) {
      call = listing.page;
      break;
    }
  }
  Handle(client_event::Cancel{call}, now, effects);
}

void McpClient::Reply(QuestionId question, std::variant<Json, RpcError> outcome, Instant now,
                      ClientEffects* effects) {
  Handle(client_event::Reply{question, std::move(outcome)}, now, effects);
}

void McpClient::Handle(ClientEvent event, Instant now, ClientEffects* effects) {
  const std::size_t from = effects->size();
  const bool channel_closed = std::holds_alternative<client_event::ChannelClosed>(event);
  const bool woken = std::holds_alternative<client_event::Woken>(event);
  if (channel_closed) opened_.reset();
  engine_.Handle(std::move(event), now, effects);
  Digest(from, now, effects);
  const std::size_t then = effects->size();
  if (channel_closed) {
    subscriber_.Lost({ErrorCode::kTransport, Blame::kEnvironment, "the channel is closed"},
                     TurnAt(now, effects));
  } else if (woken) {
    subscriber_.Woken(TurnAt(now, effects));
  }
  Digest(then, now, effects);
}

void McpClient::RequestPage(Listing& listing, Json params, Instant now, ClientEffects* effects) {
  listing.page = CallId{++last_call_};
  ++listing.pages;
  engine_.Handle(
      client_event::Request{listing.page, listing.method, std::move(params),
                            listing.options.wants_progress, listing.options.timeout, true},
      now, effects);
}

void McpClient::Digest(std::size_t from, Instant now, ClientEffects* effects) {
  // Asking for a page appends effects, which are looked at in their turn.
  for (std::size_t i = from; i < effects->size();) {
    ClientEffect& effect = (*effects)[i];
    if (const auto* opened = std::get_if<client_effect::Opened>(&effect)) {
      const bool anew = !opened_;
      opened_ = *opened;
      if (anew) subscriber_.Opened(TurnAt(now, effects));
    } else if (std::holds_alternative<client_effect::SessionLost>(effect) ||
               std::holds_alternative<client_effect::Closed>(effect) ||
               std::holds_alternative<client_effect::OpenFailed>(effect)) {
      opened_.reset();
      cache_.Clear();
      LoseSubscription(effect, now, effects);
    } else if (const auto* notified = std::get_if<client_effect::Notified>(&effect)) {
      const client_effect::Notified copy = *notified;
      if (subscriber_.Notified(copy, TurnAt(now, effects))) {
        effects->erase(effects->begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      Hear(copy);
    } else if (auto* asked = std::get_if<client_effect::Asked>(&effect)) {
      if (const Listing* listing = FindListing(asked->call)) asked->call = listing->call;
      // What came of questions is kept by nobody (M-11).
      if (Reading* reading = FindReading(asked->call)) reading->stale = true;
    } else if (auto* progressed = std::get_if<client_effect::Progressed>(&effect)) {
      if (const Listing* listing = FindListing(progressed->call)) progressed->call = listing->call;
    } else if (std::holds_alternative<client_effect::Failed>(effect) ||
               std::holds_alternative<client_effect::Answered>(effect)) {
      ClientEffect end = std::move(effect);
      effects->erase(effects->begin() + static_cast<std::ptrdiff_t>(i));
      i += EndCall(std::move(end), i, now, effects);
      continue;
    }
    ++i;
  }
}

void McpClient::LoseSubscription(const ClientEffect& effect, Instant now, ClientEffects* effects) {
  const Subscriber::Turn turn = TurnAt(now, effects);
  if (std::holds_alternative<client_effect::Closed>(effect)) return subscriber_.Closed(turn);
  const auto* failed = std::get_if<client_effect::OpenFailed>(&effect);
  const Error error = failed ? failed->error : Error();
  subscriber_.Lost(error, turn);
}

std::size_t McpClient::EndCall(ClientEffect end, std::size_t at, Instant now,
                               ClientEffects* effects) {
  const auto tell = [&](ClientEffect what) {
    effects->insert(effects->begin() + static_cast<std::ptrdiff_t>(at), std::move(what));
    return std::size_t{1};
  };
  auto* answered = std::get_if<client_effect::Answered>(&end);
  auto* failed = std::get_if<client_effect::Failed>(&end);
  if (subscriber_.Ended(end, TurnAt(now, effects))) return 0;
  const CallId call = answered ? answered->call : failed->call;
  Listing* listing = FindListing(call);
  if (listing == nullptr) {
    if (failed != nullptr && TakeRefusal(*failed, now, effects)) return 0;
    std::erase_if(tries_, [&](const ToolTry& tool) { return tool.call == call; });
    EndReading(call, answered ? &answered->result : nullptr, now);
    return tell(std::move(end));
  }
  if (answered != nullptr) {
    auto whole = AddPage(*listing, std::move(answered->result), now, effects);
    if (!whole) return 0;
    end = std::move(*whole);
    failed = std::get_if<client_effect::Failed>(&end);
  } else {
    failed->call = listing->call;
  }
  const bool refreshes = listing->call == refresh_;
  EndListing(listing);
  if (!refreshes) return tell(std::move(end));
  std::size_t told = 0;
  for (ToolTry& tool : TakeRefused()) {
    Headers headers = tools_.HeadersOf(tool.name, tool.arguments);
    if (failed != nullptr && failed->error.code == ErrorCode::kCancelled) {
      told += tell(client_effect::Failed{tool.call, failed->error, {}});
    } else if (failed != nullptr || headers == tool.headers) {
      told += tell(std::move(*tool.refusal));
    } else {
      tool.headers = std::move(headers);
      SendTool(std::move(tool), now, effects);
    }
  }
  return told;
}

void McpClient::Hear(const client_effect::Notified& notified) {
  // What was missed before is not known.
  if (notified.method == "notifications/subscriptions/acknowledged") cache_.Clear();
  cache_.Forget(notified);
  // What is under way may be older than what was said.
  for (Listing& listing : listings_) {
    if (ResultCache::IsStaleAfter(notified, listing.method, {})) listing.stale = true;
  }
  for (Reading& reading : readings_) {
    if (ResultCache::IsStaleAfter(notified, "resources/read", reading.uri)) reading.stale = true;
  }
}

McpClient::Reading* McpClient::FindReading(CallId call) {
  for (Reading& reading : readings_) {
    if (reading.call == call) return &reading;
  }
  return nullptr;
}

void McpClient::EndReading(CallId call, const Json* result, Instant now) {
  const Reading* reading = FindReading(call);
  if (reading == nullptr) return;
  const std::string* type = result ? FindString(*result, "resultType") : nullptr;
  if (result != nullptr && stateless() && !reading->stale && (!type || *type == "complete")) {
    cache_.Keep("resources/read", reading->uri, *result, now);
  }
  readings_.erase(readings_.begin() + (reading - readings_.data()));
}

McpClient::Listing* McpClient::FindListing(CallId page) {
  for (Listing& listing : listings_) {
    if (listing.page == page) return &listing;
  }
  return nullptr;
}

void McpClient::EndListing(const Listing* listing) {
  listings_.erase(listings_.begin() + (listing - listings_.data()));
}

std::optional<ClientEffect> McpClient::AddPage(Listing& listing, Json page, Instant now,
                                               ClientEffects* effects) {
  Json next = Take(page, "nextCursor");
  Json* items = Find(page, listing.member);
  auto* more = items ? items->get_ptr<Json::array_t*>() : nullptr;
  if (more == nullptr) return client_effect::Failed{listing.call, Malformed(), {}};
  if (listing.result.is_null()) {
    page.erase("nextCursor");
    listing.result = std::move(page);
  } else {
    auto& all = *Find(listing.result, listing.member)->get_ptr<Json::array_t*>();
    std::move(more->begin(), more->end(), std::back_inserter(all));
  }
  // An empty cursor is one like any other (P-08).
  if (!next.is_string()) {
    if (listing.member == "tools") {
      tools_.Learn(Find(listing.result, listing.member), over_http_ && stateless());
    }
    cache_.Forget(listing.method, {});
    if (stateless() && !listing.stale) cache_.Keep(listing.method, {}, listing.result, now);
    return client_effect::Answered{listing.call, std::move(listing.result)};
  }
  if (listing.pages >= kMaxPages) return client_effect::Failed{listing.call, Endless(), {}};
  Json params = EmptyObject();
  params["cursor"] = std::move(next);
  RequestPage(listing, std::move(params), now, effects);
  return std::nullopt;
}

}  // namespace mcp_session
