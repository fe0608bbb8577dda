#include "tests/server/task_node.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

std::uint64_t Seed(TaskWorld& world) { return world.entropy.Next(); }

}  // namespace

std::size_t TaskWorld::CountRuns() {
  DividedStore::Part part(store);
  part.Submit({1}, store::List{"principal:ann", "task-run", {}, 100}, clock.Now());
  std::vector<StoreReply> replies;
  part.Drain(&replies);
  return replies.front().listed.size();
}

std::int64_t TaskNode::Answer::code() const { return FindInteger(error, "code").value_or(0); }

std::string TaskNode::Answer::Text(std::string_view member) const {
  return StringOrEmpty(result, member);
}

TaskNode::TaskNode(TaskWorld& world, ServerOptions options, TaskOptions tasks)
    : world_(world), entropy_(Seed(world)), part_(world.store), store_(part_) {
  server_ = std::make_unique<McpServer>(std::move(options), store_, entropy_);
  tasks.unix_millis = [&world] { return kBegin + world.clock.Now().millis - 1'000'000; };
  server_->ServeTasks(std::move(tasks));
}

TaskNode::Answer TaskNode::Ask(std::string_view method, std::string_view params,
                               std::string_view name, std::string_view capabilities,
                               std::string_view principal) {
  std::string body = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method);
  body += R"(","params":{)" + std::string(params);
  body += R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":)";
  body += std::string(capabilities) + "}}}";
  HttpRequest request("POST", body);
  request.AddHeader("accept", "application/json, text/event-stream");
  request.AddHeader("content-type", "application/json");
  request.AddHeader("mcp-protocol-version", "2026-07-28");
  request.AddHeader("mcp-method", method);
  request.AddHeader("mcp-name", name);
  const std::uint64_t exchange = ++last_;
  Tell(event::HttpRequested{{exchange}, request, principal});
  return Of(exchange);
}

TaskNode::Answer TaskNode::Call(std::string_view tool, std::string_view capabilities,
                                std::string_view principal, std::string_view more) {
  return Ask("tools/call",
             R"("name":")" + std::string(tool) + R"(","arguments":{"a":1})" + std::string(more),
             tool, capabilities, principal);
}

TaskNode::Answer TaskNode::Get(std::string_view task, std::string_view principal) {
  return Ask("tasks/get", R"("taskId":")" + std::string(task) + '"', task, kKnows, principal);
}

TaskNode::Answer TaskNode::Update(std::string_view task, std::string_view responses,
                                  std::string_view principal) {
  return Ask("tasks/update",
             R"("taskId":")" + std::string(task) + R"(","inputResponses":{)" +
                 std::string(responses) + '}',
             task, kKnows, principal);
}

TaskNode::Answer TaskNode::Cancel(std::string_view task, std::string_view principal) {
  return Ask("tasks/cancel", R"("taskId":")" + std::string(task) + '"', task, kKnows, principal);
}

TaskNode::Answer TaskNode::Listen(std::string_view notifications, std::string_view capabilities,
                                  std::string_view principal) {
  return Ask("subscriptions/listen", R"("notifications":{)" + std::string(notifications) + '}', "",
             capabilities, principal);
}

std::vector<Json> TaskNode::Heard(std::uint64_t exchange) {
  return std::exchange(heard_[exchange], {});
}

std::string TaskNode::StatusOf(std::string_view task) { return Get(task).Text("status"); }

void TaskNode::Leave() { Tell(event::ExchangeClosed{{last_}}); }

TaskNode::Answer TaskNode::Of(std::uint64_t exchange) {
  const auto& [status, body] = received_[exchange];
  Answer answer{.status = status};
  if (status == 0) return answer;
  Result<Json> message = ParseJson(body);
  MCPS_CHECK(message.has_value());
  answer.message = std::move(*message);
  if (const Json* result = Find(answer.message, "result")) answer.result = *result;
  if (const Json* error = Find(answer.message, "error")) answer.error = *error;
  return answer;
}

void TaskNode::Wake() { Tell(event::Woken{}); }

void TaskNode::Pass(Millis time) {
  const Instant end = world_.clock.Now() + time;
  for (;;) {
    const Instant next = std::min(end, server_->NextDeadline());
    world_.clock.AdvanceTo(next);
    Wake();
    if (next == end) return;
  }
}

void TaskNode::Tell(const Event& event) {
  Effects effects;
  server_->Handle(event, world_.clock.Now(), &effects);
  for (const Effect& effect : effects) {
    if (const auto* respond = std::get_if<effect::HttpRespond>(&effect)) {
      received_[respond->exchange.number] = {respond->status, respond->body};
    } else if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) {
      const std::size_t begin = chunk->bytes.find('{');
      const std::size_t end = chunk->bytes.rfind('}');
      if (begin == std::string::npos || end == std::string::npos) continue;
      Result<Json> message =
          ParseJson(std::string_view(chunk->bytes).substr(begin, end + 1 - begin));
      MCPS_CHECK(message.has_value());
      heard_[chunk->exchange.number].push_back(std::move(*message));
    }
  }
}

}  // namespace mcp_session
