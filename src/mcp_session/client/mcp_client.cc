#include "mcp_session/client/mcp_client.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

Error Malformed() { return {ErrorCode::kPeer, Blame::kPeer, "the list has no tools"}; }

Error Endless() {
  return {ErrorCode::kTooLarge, Blame::kPeer, "the list of tools has too many pages"};
}

}  // namespace

McpClient::McpClient(ClientOptions options) : engine_(std::move(options)) {}

void McpClient::Open(Instant now, ClientEffects* effects) {
  Handle(client_event::Open{}, now, effects);
}

void McpClient::Close(Instant now, ClientEffects* effects) {
  Handle(client_event::Close{}, now, effects);
}

CallId McpClient::Call(std::string_view method, Json params, const CallOptions& options,
                       Instant now, ClientEffects* effects) {
  const CallId call{++last_call_};
  Handle(client_event::Request{call, method, std::move(params), options.wants_progress,
                               options.timeout},
         now, effects);
  return call;
}

CallId McpClient::CallTool(std::string_view name, Json arguments, const CallOptions& options,
                           Instant now, ClientEffects* effects) {
  Json params = EmptyObject();
  params["name"] = std::string(name);
  if (!arguments.is_null()) params["arguments"] = std::move(arguments);
  return Call("tools/call", std::move(params), options, now, effects);
}

CallId McpClient::Ping(Instant now, ClientEffects* effects) {
  if (era_ != Era::kStateless) return Call("ping", Json(), {}, now, effects);
  const CallId call{++last_call_};
  effects->push_back(client_effect::Failed{
      call, {ErrorCode::kMethodNotFound, Blame::kCaller, "the stateless era has no ping"}, {}});
  return call;
}

CallId McpClient::ListTools(const CallOptions& options, Instant now, ClientEffects* effects) {
  const CallId call{++last_call_};
  const std::size_t from = effects->size();
  listings_.push_back({.call = call, .options = options});
  RequestPage(listings_.back(), Json(), now, effects);
  Digest(from, now, effects);
  return call;
}

void McpClient::Cancel(CallId call, Instant now, ClientEffects* effects) {
  for (const Listing& listing : listings_) {
    if (listing.call == call) {
      call = listing.page;
      break;
    }
  }
  Handle(client_event::Cancel{call}, now, effects);
}

void McpClient::Handle(ClientEvent event, Instant now, ClientEffects* effects) {
  const std::size_t from = effects->size();
  engine_.Handle(std::move(event), now, effects);
  Digest(from, now, effects);
}

void McpClient::RequestPage(Listing& listing, Json params, Instant now, ClientEffects* effects) {
  listing.page = CallId{++last_call_};
  ++listing.pages;
  engine_.Handle(client_event::Request{listing.page, "tools/list", std::move(params),
                                       listing.options.wants_progress, listing.options.timeout},
                 now, effects);
}

void McpClient::Digest(std::size_t from, Instant now, ClientEffects* effects) {
  // Asking for a page appends effects, which are looked at in their turn.
  for (std::size_t i = from; i < effects->size();) {
    ClientEffect& effect = (*effects)[i];
    if (const auto* opened = std::get_if<client_effect::Opened>(&effect)) {
      era_ = opened->era;
    } else if (auto* progressed = std::get_if<client_effect::Progressed>(&effect)) {
      if (const Listing* listing = FindListing(progressed->call)) progressed->call = listing->call;
    } else if (auto* failed = std::get_if<client_effect::Failed>(&effect)) {
      if (const Listing* listing = FindListing(failed->call)) {
        failed->call = listing->call;
        EndListing(listing);
      }
    } else if (auto* answered = std::get_if<client_effect::Answered>(&effect)) {
      if (Listing* listing = FindListing(answered->call)) {
        Json page = std::move(answered->result);
        auto end = AddPage(*listing, std::move(page), now, effects);
        if (!end) {
          effects->erase(effects->begin() + static_cast<std::ptrdiff_t>(i));
          continue;
        }
        EndListing(listing);
        (*effects)[i] = std::move(*end);
      }
    }
    ++i;
  }
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
  Json* tools = Find(page, "tools");
  auto* more = tools ? tools->get_ptr<Json::array_t*>() : nullptr;
  if (more == nullptr) return client_effect::Failed{listing.call, Malformed(), {}};
  if (listing.result.is_null()) {
    page.erase("nextCursor");
    listing.result = std::move(page);
  } else {
    auto& all = *Find(listing.result, "tools")->get_ptr<Json::array_t*>();
    std::move(more->begin(), more->end(), std::back_inserter(all));
  }
  // An empty cursor is one like any other (P-08).
  if (!next.is_string()) return client_effect::Answered{listing.call, std::move(listing.result)};
  if (listing.pages >= kMaxPages) return client_effect::Failed{listing.call, Endless(), {}};
  Json params = EmptyObject();
  params["cursor"] = std::move(next);
  RequestPage(listing, std::move(params), now, effects);
  return std::nullopt;
}

}  // namespace mcp_session
