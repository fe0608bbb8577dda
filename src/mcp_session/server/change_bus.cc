#include "mcp_session/server/change_bus.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "mcp_session/base/random_name.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::string_view kOwner = "server";  // no principal's and no session's
constexpr std::string_view kKind = "changes";
constexpr std::string_view kData = "C1";
constexpr Millis kKept = Minutes(10);  // after the last who said something or listened
constexpr std::size_t kKeptEvents = 256;
constexpr std::size_t kReadAtOnce = 100;
constexpr Millis kReadWait = Seconds(30);
constexpr Millis kPause = Seconds(1);  // after a failure
constexpr std::size_t kMaxUnsaid = 100;

}  // namespace

struct ChangeBus::Saying : HandlerCall::State {
  Saying(McpServer::State& server_in, Feature& feature_in, Change change_in)
      : State(server_in.weak_from_this(), feature_in, Call{}), change(std::move(change_in)) {}
  Change change;
};

ChangeBus::ChangeBus(McpServer::State& server, Feature& feature, std::string name,
                     std::function<void(const Change&)> on_change)
    : server_(server),
      feature_(feature),
      name_(std::move(name)),
      on_change_(std::move(on_change)) {}

RecordKey ChangeBus::Key() const { return RecordKey{kOwner, kKind, name_}; }

// Between a record that has just been made or found, and touched, there is no time for it to end.
void ChangeBus::Append(const Change& change, const Feature::Running& call, Step step) {
  if (node_.empty()) node_ = RandomName<8>(server_.entropy);
  server_.store.Submit(server_.Await(nullptr, &feature_, kUnasked),
                       store::Create{Key(), std::string(kData), Lifetime{.idle_ttl = kKept}},
                       server_.now);
  server_.store.Submit(server_.Await(nullptr, &feature_, kUnasked), store::Touch{Key()},
                       server_.now);
  server_.store.Submit(server_.Await(call, &feature_, step),
                       store::Append{Key(), EncodeChange(node_, change), kKeptEvents}, server_.now);
}

void ChangeBus::Say(Change change) {
  const auto saying = std::make_shared<Saying>(server_, feature_, std::move(change));
  Append(saying->change, saying, kSaid);
}

void ChangeBus::Listen() {
  wanted_ = true;
  if (state_ == State::kIdle) Mark();
}

void ChangeBus::Mark() {
  state_ = State::kMarking;
  Append(Change{}, nullptr, kMarked);
}

void ChangeBus::Read() {
  state_ = State::kReading;
  server_.store.Submit(server_.Await(nullptr, &feature_, kRead),
                       store::ReadEvents{Key(), after_, kReadAtOnce, kReadWait}, server_.now);
}

void ChangeBus::HandleReply(int step, const Feature::Running& call, StoreReply& reply) {
  switch (step) {
    case kMarked:
      return Marked(reply);
    case kRead:
      return Take(reply);
    case kSaid:
      if (!reply.error) return;
      unsaid_.push_back(static_cast<const Saying&>(*call).change);
      if (unsaid_.size() > kMaxUnsaid) unsaid_ = {Change{Change::Kind::kAnything, {}}};
      return TryAgainLater();
    default:
      return;  // a record that was there already, or a failure that the Append meets too
  }
}

void ChangeBus::Marked(const StoreReply& reply) {
  if (reply.error) {
    missed_ = true;
    state_ = State::kFailed;
    return TryAgainLater();
  }
  after_ = reply.sequence;
  marked_ = true;
  Read();
  if (std::exchange(missed_, false)) on_change_(Change{Change::Kind::kAnything, {}});
}

void ChangeBus::Take(StoreReply& reply) {
  if (!reply.error) {
    for (const StreamEvent& event : reply.events) {
      after_ = event.sequence;
      const auto said = DecodeChange(*event.data);
      // What this node says it has told its own listeners.
      if (said && said->node != node_ && said->change.kind != Change::Kind::kNothing) {
        on_change_(said->change);
      }
    }
  } else if (reply.error == ErrorCode::kGap) {
    after_ = reply.sequence;
    on_change_(Change{Change::Kind::kAnything, {}});
  } else if (IsAbsent(reply.error)) {
    marked_ = false;
    missed_ = true;
  } else {
    state_ = State::kFailed;
    return TryAgainLater();
  }
  if (!wanted_) {
    state_ = State::kIdle;
    marked_ = missed_ = false;
    return;
  }
  if (!marked_) return Mark();
  server_.store.Submit(server_.Await(nullptr, &feature_, kUnasked), store::Touch{Key()},
                       server_.now);
  Read();
}

void ChangeBus::TryAgainLater() { deadline_ = std::min(deadline_, server_.now + kPause); }

void ChangeBus::HandleDeadline() {
  deadline_ = kNever;
  for (Change& change : std::exchange(unsaid_, {})) Say(std::move(change));
  if (state_ != State::kFailed) return;
  if (!wanted_) {
    state_ = State::kIdle;
    marked_ = missed_ = false;
  } else if (marked_) {
    Read();
  } else {
    Mark();
  }
}

}  // namespace mcp_session
