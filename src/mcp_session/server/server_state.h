// The inside of McpServer: the turns, and what its features (feature.h) work with. Private to this
// folder.
#ifndef MCP_SESSION_SERVER_SERVER_STATE_H_
#define MCP_SESSION_SERVER_SERVER_STATE_H_

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/flat_map.h"
#include "mcp_session/base/slot_map.h"
#include "mcp_session/server/change.h"
#include "mcp_session/server/feature.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

class McpServer::State : public std::enable_shared_from_this<McpServer::State> {
 public:
  using Running = Feature::Running;

  State(ServerOptions options, SessionStore& store, Entropy& entropy);

  void Handle(const Event& event_in, Instant at, Effects* out);
  Instant NextDeadline() const;

  // The store has replies.
  void StoreReady();

  // Calls come to `feature` too, ahead of all but logging, which checks what calls say of it.
  void AddFirst(std::unique_ptr<Feature> feature);
  // Registers something with the feature T. From the first that is taken on there is the feature,
  // and clients are told of T::kCapability, or, where changes are told, T::kChangingCapability.
  template <typename T, typename... Args>
  Result<void> Register(Args&&... args) {
    T* feature = Find<T>();
    std::unique_ptr<T> made;
    if (feature == nullptr) {
      made = std::make_unique<T>(*this);
      feature = made.get();
    }
    Result<void> added = feature->Register(std::forward<Args>(args)...);
    if (added && made != nullptr) {
      Append(std::move(made));
      engine.AddCapability(changing ? T::kChangingCapability : T::kCapability);
    }
    return added;
  }
  // Null if there is none of this class.
  template <typename T>
  T* Find() const {
    return static_cast<T*>(Find(T::kName));
  }

  // For features, in a turn.
  void Open(const Running& call);  // it is to be told of a cancellation
  void Close(CallId id);           // it is not any more
  StoreTicket Await(Running call, Feature* feature, int step);
  // The client of `call` was asked something: until it is closed, or no more is awaited, the call
  // hears of the answers (Asking::HandleAnswer).
  void AwaitClient(const Running& call) { asked_.Insert(call->call.id.number, call); }
  void AwaitClientNoMore(CallId id) { asked_.Erase(id.number); }
  // The handler of the call is told, and what it answers is ignored.
  void Cancel(CallId id);
  // Runs `handler` in the guard; false if that says it failed.
  bool Run(HandlerRun handler) const;

  // What a HandlerCall does, in a turn or outside of one.
  void Answered(Running call);
  void Progressed(CallId id, double progress, std::optional<double> total,
                  std::string_view message);
  void StreamClosed(CallId id);
  void Dropped(CallId id);
  void Happened(Change change);
  void Logged(const Call& call, LogLevel level, std::string_view logger, const Json& data);

  ServerEngine engine;
  SessionStore& store;
  Entropy& entropy;
  std::function<void()> wake;
  HandlerGuard guard;
  BadResult on_bad_result;                    // may be empty
  bool changing = false;                      // ServeChanges was called
  TaskServing* tasks = nullptr;               // there are none without ServeTasks
  std::size_t running_tasks = 0;              // on this node
  std::unique_ptr<ReadsAhead> reading_ahead;  // null without McpServer::ReadAhead

  // The turn that is being handled; `effects` and `event` are null outside of one. A stateless call
  // starts in the turn of the event that brought it.
  Instant now;
  Effects* effects = nullptr;
  const Event* event = nullptr;

 private:
  struct Wait {
    Running call;      // may be null
    Feature* feature;  // null: nobody waits
    int step;
  };

  void Append(std::unique_ptr<Feature> feature);
  Feature* Find(Feature::Name name) const;
  void Settle();
  void Finish(const Running& call);
  void HandleNews(EngineNews news);
  void HandleReply(StoreReply reply);
  void Forget(const SessionEnded& ended);
  Effects* Out();
  void Wake();

  std::unique_ptr<Feature> features_;  // the first, and by its `next` the others
  std::vector<EngineNews> news_;
  SlotMap<Wait> waits_;  // for replies of the store
  // Calls that are not over, so that they can be told of a cancellation.
  FlatMap<std::weak_ptr<HandlerCall::State>> open_;
  FlatMap<Running> asked_;  // those of them whose clients were asked
  // What handlers did outside of a turn, until the next one.
  std::vector<Running> answered_outside_;
  Effects effects_outside_;
  bool woken_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SERVER_STATE_H_
