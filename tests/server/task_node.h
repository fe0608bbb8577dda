// A server with tasks in a test, one of several on a store, and the clients that ask it.
#ifndef TESTS_SERVER_TASK_NODE_H_
#define TESTS_SERVER_TASK_NODE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/json/json.h"
#include "mcp_session/server/mcp_server.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"
#include "tests/support/divided_store.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

// What nodes have in common.
struct TaskWorld {
  // How many records the principal `ann` has of tasks that are worked on.
  std::size_t CountRuns();

  ManualClock clock;
  SeededEntropy entropy{1};
  DividedStore store{entropy};
};

class TaskNode {
 public:
  // A client that knows tasks, and can be asked by a form.
  static constexpr char kKnows[] =
      R"({"elicitation":{"form":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}})";
  static constexpr std::int64_t kBegin = 1'785'225'600'000;  // 2026-07-28T08:00:00Z, the clock's 0

  struct Answer {
    int status = 0;  // 0: none yet
    Json message;    // the whole
    Json result;     // null: an error
    Json error;
    std::int64_t code() const;
    std::string Text(std::string_view member) const;  // of the result; empty if there is none
  };

  explicit TaskNode(TaskWorld& world, ServerOptions options = {}, TaskOptions tasks = {});

  McpServer& server() { return *server_; }
  DelayingStore& store() { return store_; }

  // A tool that may be a task.
  template <typename Handler>
  bool Add(std::string name, Handler handler, TaskUse use = {TaskUse::Support::kOptional}) {
    return server_
        ->AddTool({.name = std::move(name), .description = "A tool."}, std::move(handler),
                  {.task = use})
        .has_value();
  }

  // Of a stateless client; what Mcp-Name repeats is `name`. `params` is the inside of the object.
  Answer Ask(std::string_view method, std::string_view params, std::string_view name,
             std::string_view capabilities = kKnows, std::string_view principal = "ann");
  Answer Call(std::string_view tool, std::string_view capabilities = kKnows,
              std::string_view principal = "ann", std::string_view more = {});
  // tasks/get, tasks/update and tasks/cancel.
  Answer Get(std::string_view task, std::string_view principal = "ann");
  Answer Update(std::string_view task, std::string_view responses,
                std::string_view principal = "ann");
  Answer Cancel(std::string_view task, std::string_view principal = "ann");
  std::string StatusOf(std::string_view task);

  // subscriptions/listen with this inside of `notifications`; the answer is empty while it is open.
  Answer Listen(std::string_view notifications, std::string_view capabilities = kKnows,
                std::string_view principal = "ann");
  // The messages of the stream of that request since this was last asked.
  std::vector<Json> Heard(std::uint64_t exchange);

  // The client of the last request has gone.
  void Leave();
  // What the last request, or that one, has been answered by now.
  Answer Of(std::uint64_t exchange);
  std::uint64_t last() const { return last_; }

  void Wake();
  // Time passes, in steps as a host would take it.
  void Pass(Millis time);

 private:
  void Tell(const Event& event);

  TaskWorld& world_;
  SeededEntropy entropy_;
  DividedStore::Part part_;
  DelayingStore store_;
  std::unique_ptr<McpServer> server_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, std::pair<int, std::string>> received_;
  std::map<std::uint64_t, std::vector<Json>> heard_;
};

}  // namespace mcp_session

#endif  // TESTS_SERVER_TASK_NODE_H_
