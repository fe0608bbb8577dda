// What a handler asks, and what was answered, over all runs of one call. Private to this folder.
//
// A run ends when its handler answers. Did it ask nothing, then its answer is the answer of the
// call. Else EndRun sends the questions where the caller is asked. StatelessRounds: as an
// `input_required` result, with which the call ends; the client calls again with the answers.
// SessionRounds: as requests to the client; the call stays open, and runs again when all are
// answered. One that the client refuses, or does not answer in time, ends the call.
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

// Appends {"method":...,"params":...}, as the client is asked it; false if it has no JSON form.
bool AppendQuestion(const Question& question, std::string* out);

class Rounds : public Asking {
 public:
  const Json* Ask(std::string_view key, const Question& question);
  bool CanAsk(const Question& question) const;
  Json& kept() { return kept_; }

  bool EndRun(McpServer::State& server, const Feature::Running& call) final;
  void StartOver() final { kept_ = kept_before_; }
  void HandleAnswer(McpServer::State& server, const Feature::Running& call,
                    ClientAnswered& answered) override;

 protected:
  struct Open {
    std::string key;
    Question question;
  };

  explicit Rounds(Json declared) : declared_(std::move(declared)) {}
  // Goes on where `before` is; answers that handlers hold on to stay where they are.
  void TakeOver(Rounds& before);

  // Asks what `open_` has.
  virtual void Send(McpServer::State& server, const Feature::Running& call) = 0;
  static void Fail(McpServer::State& server, const Feature::Running& call, ErrorCode code,
                   const char* why);

  // By key; those that fit their questions. A map, since handlers hold on to what is in it.
  std::map<std::string, Json, std::less<>> answers_;
  Json fresh_;  // by key; of the round that has just ended, whatever the client sent
  Json kept_;
  Json kept_before_;        // the run that is going on, or has just ended
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

class SessionRounds final : public Rounds {
 public:
  explicit SessionRounds(const Call& call);

  void HandleAnswer(McpServer::State& server, const Feature::Running& call,
                    ClientAnswered& answered) override;

 private:
  struct Awaited {
    std::uint64_t number;  // of the request
    std::string key;
  };

  void Send(McpServer::State& server, const Feature::Running& call) override;
  static void TellRefused(McpServer::State& server, const Feature::Running& call, std::string why);

  std::vector<Awaited> awaited_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_ROUNDS_H_
