// ChangeBus: what one node says of changes reaches all others that use the same store. Private to
// this folder.
//
// It is the stream of one record, which lives as long as anybody says something or listens. Who
// listens puts a mark on the stream, whose sequence is where reading begins, and from there on has
// one ReadEvents waiting. What is missed, by a gap or an outage that a record did not survive, is
// made up for by Change::kAnything. What cannot be said because the store is away is said later.
//
//   kIdle      nobody listens
//   kMarking   the mark is on its way
//   kReading   a ReadEvents waits
//   kFailed    the store failed; again at `deadline`
#ifndef MCP_SESSION_SERVER_CHANGE_BUS_H_
#define MCP_SESSION_SERVER_CHANGE_BUS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/server/change.h"
#include "mcp_session/server/feature.h"

namespace mcp_session {

class ChangeBus {
 public:
  // `on_change` is told what other nodes say while this one listens.
  ChangeBus(McpServer::State& server, Feature& feature, std::string name,
            std::function<void(const Change&)> on_change);

  void Say(Change change);

  // From now on others are listened to, or not.
  void Listen();
  void StopListening() { wanted_ = false; }
  // Whether all that is said from now on is heard, or will be made up for.
  bool listening() const { return state_ == State::kReading || state_ == State::kFailed; }

  // For the feature, whose replies and time these are.
  void HandleReply(int step, const Feature::Running& call, StoreReply& reply);
  // Whether a reply at this step is one after which it goes on listening, or does not.
  static bool GoesOnAfter(int step) { return step == kMarked || step == kRead; }
  Instant deadline() const { return deadline_; }
  void HandleDeadline();

 private:
  enum class State : std::uint8_t { kIdle, kMarking, kReading, kFailed };
  enum Step : int { kUnasked, kMarked, kSaid, kRead };
  struct Saying;

  void Append(const Change& change, const Feature::Running& call, Step step);
  void Mark();
  void Read();
  void Marked(const StoreReply& reply);
  void Take(StoreReply& reply);
  void TryAgainLater();
  RecordKey Key() const;

  McpServer::State& server_;
  Feature& feature_;
  const std::string name_;
  const std::function<void(const Change&)> on_change_;
  std::string node_;  // drawn at the first use
  State state_ = State::kIdle;
  bool wanted_ = false;
  bool marked_ = false;  // after_ is a place on the stream
  bool missed_ = false;  // what was said before the next mark
  std::uint64_t after_ = 0;
  std::vector<Change> unsaid_;
  Instant deadline_ = kNever;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CHANGE_BUS_H_
