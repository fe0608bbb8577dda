// What a handler asks, and what was answered, over all runs of one call. Private to this folder.
//
// A run ends when its handler answers. Did it ask nothing, then its answer is the answer of the
// call. Else EndRun sends the questions where the caller is asked: StatelessRounds as an
// `input_required` result, with which the call ends; the client calls again with the answers.
#ifndef MCP_SESSION_SERVER_ROUNDS_H_
#define MCP_SESSION_SERVER_ROUNDS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/question.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

class Rounds : public Asking {
 public:
  const Json* Ask(std::string_view key, const Question& question);
  bool CanAsk(const Question& question) const;
  Json& kept() { return kept_; }

  bool EndRun(McpServer::State& server, const Feature::Running& call) final;

 protected:
  struct Open {
    std::string key;
    Question question;
  };

  explicit Rounds(Json declared) : declared_(std::move(declared)) {}

  // Asks what `open_` has.
  virtual void Send(McpServer::State& server, const Feature::Running& call) = 0;
  static void Fail(McpServer::State& server, const Feature::Running& call, ErrorCode code,
                   const char* why);

  // By key; those that fit their questions. A map, since handlers hold on to what is in it.
  std::map<std::string, Json, std::less<>> answers_;
  Json fresh_;  // by key; of the round that has just ended, whatever the client sent
  Json kept_;
  std::int64_t round_ = 0;  // how often the client was asked
  std::vector<Open> open_;  // what this run asks

 private:
  const Json declared_;           // what the client can do
  Json lacking_ = EmptyObject();  // and what it would have to, for this run
};

class StatelessRounds final : public Rounds {
 public:
  // Of a call as it came; its requestState was opened, if `sealed`.
  StatelessRounds(const Call& call, bool sealed);

 private:
  void Send(McpServer::State& server, const Feature::Running& call) override;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_ROUNDS_H_
