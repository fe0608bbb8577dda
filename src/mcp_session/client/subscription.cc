#include "mcp_session/client/subscription.h"

#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

constexpr Millis kFirstWait = Seconds(1);
constexpr Millis kLongestWait = Seconds(60);
constexpr Millis kPatience = Seconds(60);  // for an acknowledgment that nobody waits for
constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";
constexpr char kAcknowledged[] = "notifications/subscriptions/acknowledged";

Error Cancelled() { return {ErrorCode::kCancelled, Blame::kCaller, "the request was given up"}; }

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

Json Filter(const Subscription& wanted) {
  Json filter = EmptyObject();
  if (wanted.tools) filter["toolsListChanged"] = true;
  if (wanted.prompts) filter["promptsListChanged"] = true;
  if (wanted.resources) filter["resourcesListChanged"] = true;
  if (!wanted.uris.empty()) filter["resourceSubscriptions"] = wanted.uris;
  return filter;
}

bool IsEmpty(const Subscription& wanted) {
  return !wanted.tools && !wanted.prompts && !wanted.resources && wanted.uris.empty();
}

// Whether a session's server says that it does `what` about `feature`.
bool Declares(const client_effect::Opened& opened, const char* feature, const char* what) {
  const Json* capabilities = FindObject(opened.server, "capabilities");
  const Json* declared = capabilities ? FindObject(*capabilities, feature) : nullptr;
  return declared != nullptr && FindBool(*declared, what) == true;
}

}  // namespace

void Subscriber::Subscribe(CallId call, Subscription wanted, Millis timeout, const Turn& turn) {
  if (wanted.uris.size() > kMaxUris) {
    turn.effects->push_back(client_effect::Failed{
        call, {ErrorCode::kInvalidArgument, Blame::kCaller, "too many resources"}, {}});
    return;
  }
  if (asker_.number != 0) Fail(Cancelled(), {}, turn);
  Drop(turn);
  wanted_ = std::move(wanted);
  asker_ = call;
  tries_ = 0;
  acknowledged_by_ = timeout.count > kNever.millis - turn.now.millis ? kNever : turn.now + timeout;
  Begin(turn);
}

void Subscriber::TakeOver(Subscription wanted, const Turn& turn) {
  wanted_ = std::move(wanted);
  Retry(turn);
}

bool Subscriber::Cancel(CallId call, const Turn& turn) {
  if (call.number == 0 || call != asker_) return false;
  Fail(Cancelled(), {}, turn);
  return true;
}

void Subscriber::Begin(const Turn& turn) {
  retry_at_ = kNever;
  if (asker_.number == 0) acknowledged_by_ = turn.now + kPatience;
  step_ = Step::kWaiting;
  if (turn.opened == nullptr) {
    wants_channel_ = transport_ == ClientTransport::kChannel;
    if (!wants_channel_) turn.engine.Handle(client_event::Open{}, turn.now, turn.effects);
    return;
  }
  wants_channel_ = false;
  step_ = Step::kAsking;
  if (turn.opened->era == Era::kHandshake) return GoOnInSession(turn);
  if (IsEmpty(wanted_)) return Acknowledge(EmptyObject(), turn);
  Json params = EmptyObject();
  params["notifications"] = Filter(wanted_);
  Send("subscriptions/listen", std::move(params), turn);
  turn.engine.KeepOpen(request_);
}

void Subscriber::GoOnInSession(const Turn& turn) {
  const auto change = [&](const char* method, const std::string& uri, bool adds) {
    changing_ = uri;
    adding_ = adds;
    Json params = EmptyObject();
    params["uri"] = uri;
    Send(method, std::move(params), turn);
  };
  for (const std::string& uri : subscribed_) {
    if (!Contains(wanted_.uris, uri)) return change("resources/unsubscribe", uri, false);
  }
  if (Declares(*turn.opened, "resources", "subscribe")) {
    for (const std::string& uri : wanted_.uris) {
      const bool done = Contains(subscribed_, uri) || Contains(refused_, uri);
      if (!done) return change("resources/subscribe", uri, true);
    }
  }
  Acknowledge(
      Filter({.tools = wanted_.tools && Declares(*turn.opened, "tools", "listChanged"),
              .prompts = wanted_.prompts && Declares(*turn.opened, "prompts", "listChanged"),
              .resources = wanted_.resources && Declares(*turn.opened, "resources", "listChanged"),
              .uris = subscribed_}),
      turn);
}

void Subscriber::Send(std::string_view method, Json params, const Turn& turn) {
  request_ = CallId{++turn.last_call};
  own_.push_back(request_);
  turn.engine.Handle(client_event::Request{request_, method, std::move(params)}, turn.now,
                     turn.effects);
}

// Ends what goes on; what it brings is nobody's.
void Subscriber::Drop(const Turn& turn) {
  const CallId request = std::exchange(request_, {});
  changing_.reset();
  step_ = Step::kNone;
  acknowledged_by_ = kNever;
  retry_at_ = kNever;
  wants_channel_ = false;
  refused_.clear();
  if (request.number != 0) {
    turn.engine.Handle(client_event::Cancel{request}, turn.now, turn.effects);
  }
}

void Subscriber::Acknowledge(Json notifications, const Turn& turn) {
  step_ = IsEmpty(wanted_) ? Step::kNone : Step::kListening;
  acknowledged_by_ = kNever;
  listening_since_ = turn.now;
  heard_ = false;
  refused_.clear();
  Json answer = EmptyObject();
  answer["notifications"] = std::move(notifications);
  if (asker_.number != 0) {
    turn.effects->push_back(client_effect::Answered{std::exchange(asker_, {}), std::move(answer)});
  } else {
    turn.effects->push_back(client_effect::Notified{kAcknowledged, std::move(answer)});
  }
}

void Subscriber::Retry(const Turn& turn) {
  if (step_ == Step::kListening &&
      (heard_ || (turn.now - listening_since_).count >= kLongestWait.count)) {
    tries_ = 0;
  }
  Drop(turn);
  step_ = Step::kWaiting;
  Millis wait = kFirstWait;
  for (int i = 0; i < tries_ && wait < kLongestWait; ++i) wait.count *= 2;
  ++tries_;
  // Those who were cut off together do not come back together.
  const auto spread = static_cast<std::uint64_t>(turn.now.millis) * 2654435761u % 101;
  wait.count = std::min(wait, kLongestWait).count + static_cast<std::int64_t>(spread);
  retry_at_ = turn.now + wait;
}

void Subscriber::Fail(Error error, std::optional<RpcError> rpc, const Turn& turn) {
  Drop(turn);
  wanted_ = {};
  turn.effects->push_back(
      client_effect::Failed{std::exchange(asker_, {}), std::move(error), std::move(rpc)});
}

void Subscriber::Opened(const Turn& turn) {
  subscribed_.clear();
  refused_.clear();
  if (step_ == Step::kNone) return;
  request_ = {};  // what it brings means nothing here
  changing_.reset();
  Begin(turn);
}

void Subscriber::Lost(const Error& error, const Turn& turn) {
  subscribed_.clear();
  if (step_ == Step::kNone) return;
  if (asker_.number == 0) {
    if (retry_at_ == kNever) Retry(turn);
    return;
  }
  if (request_.number == 0) Fail(error, {}, turn);  // else the request ends as it must
}

void Subscriber::Closed(const Turn& turn) {
  if (asker_.number != 0) Fail(Cancelled(), {}, turn);
  Drop(turn);
  wanted_ = {};
  subscribed_.clear();
}

void Subscriber::Woken(const Turn& turn) {
  if (acknowledged_by_ <= turn.now) {
    Error late{ErrorCode::kTimeout, Blame::kEnvironment, "no answer in time"};
    if (asker_.number != 0) return Fail(std::move(late), {}, turn);
    return Retry(turn);
  }
  if (retry_at_ <= turn.now) Begin(turn);
}

bool Subscriber::Ended(ClientEffect& end, const Turn& turn) {
  auto* failed = std::get_if<client_effect::Failed>(&end);
  const CallId call = failed ? failed->call : std::get<client_effect::Answered>(end).call;
  if (std::erase(own_, call) == 0) return false;
  if (call != request_) return true;
  request_ = {};
  if (changing_) {
    const std::string uri = *std::exchange(changing_, std::nullopt);
    const bool refused = failed != nullptr && failed->rpc.has_value();
    if (failed == nullptr || refused) {
      if (!adding_) std::erase(subscribed_, uri);
      if (adding_) (refused ? refused_ : subscribed_).push_back(uri);
      if (turn.opened != nullptr) GoOnInSession(turn);
      return true;
    }
  }
  if (failed == nullptr || asker_.number == 0) {
    EndByServer(turn);
  } else {
    Fail(std::move(failed->error), std::move(failed->rpc), turn);
  }
  return true;
}

void Subscriber::EndByServer(const Turn& turn) {
  if (asker_.number == 0) return Retry(turn);
  Fail({ErrorCode::kPeer, Blame::kPeer, "the server ended the subscription"}, {}, turn);
}

bool Subscriber::Notified(const client_effect::Notified& notified, const Turn& turn) {
  if (request_.number == 0 || changing_) return false;
  const std::int64_t id = turn.engine.WireIdOf(request_).value_or(0);
  if (notified.method == "notifications/cancelled") {
    if (FindInteger(notified.params, "requestId") != id) return false;
    EndByServer(turn);
    return true;
  }
  const Json* meta = FindObject(notified.params, "_meta");
  if (meta == nullptr || FindInteger(*meta, kSubscriptionId) != id) return false;
  if (notified.method != kAcknowledged) {
    heard_ = true;
    return false;
  }
  if (step_ == Step::kAsking) {
    const Json* honoured = FindObject(notified.params, "notifications");
    Acknowledge(honoured ? *honoured : EmptyObject(), turn);
  }
  return true;
}

}  // namespace mcp_session
