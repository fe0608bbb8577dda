// The examples of docs/server.md: a server of notes, and what a client gets of it.
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/json/access.h"
#include "mcp_session/schema/json_schema_validator.h"
#include "mcp_session/seal/key_ring_sealer.h"
#include "mcp_session/server/content.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

using namespace mcp_session;

namespace {

class Notes {
 public:
  Result<void> AddTo(McpServer& server, boost::asio::io_context& loop) {
    server.ServeChanges();
    server.ServeTasks({.unix_millis = UnixMillis});
    auto added = AddCheckedTool(server);
    if (added) added = AddWriting(server);
    if (added) added = AddResources(server);
    if (added) added = AddPrompts(server);
    if (added) added = AddTools(server, loop);
    if (added) added = AddRemove(server);
    if (added) added = AddSort(server, loop);
    return added;
  }

 private:
  Result<void> AddResources(McpServer& server) {
    auto added =
        server.AddResource({.uri = "notes://all", .name = "All notes", .mime_type = "text/plain"},
                           [this](ResourceCall&) {
                             std::string titles;
                             for (const auto& [title, text] : notes_) titles += title + "\n";
                             return ResourceResult::Text(titles);
                           });
    if (!added) return added;
    added = server.AddResourceTemplate(
        {.uri_template = "notes://{title}", .name = "A note", .mime_type = "text/markdown"},
        [this](ResourceCall& call) -> Result<ResourceResult> {
          const auto note = notes_.find(call.Variable("title"));
          if (note == notes_.end()) {
            return Failure(ErrorCode::kNotFound, Blame::kPeer, "no such note");
          }
          return ResourceResult::Text(note->second);
        });
    if (!added) return added;
    return server.AddCompletion({.uri_template = "notes://{title}", .argument = "title"},
                                [this](CompletionCall& call) {
                                  std::vector<std::string> titles;
                                  for (const auto& [title, text] : notes_) titles.push_back(title);
                                  return CompletionResult::StartingWith(call.typed(), titles);
                                });
  }

  Result<void> AddPrompts(McpServer& server) {
    return server.AddPrompt(
        {.name = "summarize",
         .description = "Sums up a note.",
         .arguments = {{.name = "title", .description = "Which note", .required = true}}},
        [this](PromptCall& call) -> Result<PromptResult> {
          const auto note = notes_.find(call.Argument("title"));
          if (note == notes_.end()) {
            return Failure(ErrorCode::kInvalidParams, Blame::kPeer,
                           "there is no note of this title");
          }
          PromptResult prompt;
          prompt.AddUser(TextContent("Sum up this note in one sentence."));
          prompt.AddUser(EmbeddedResource(
              TextContents(note->second, "notes://" + note->first, "text/markdown")));
          return prompt;
        });
  }

  Result<void> AddCheckedTool(McpServer& server) {
    server.CheckArgumentsWith(schemas_, [this](std::string_view tool, std::string_view problem) {
      log_ += std::string(tool) + ": " + std::string(problem) + "\n";
    });
    const Json word = {{"type", "string"}, {"minLength", 1}, {"pattern", "^[a-z]+$"}};
    return server.AddTool({.name = "count_notes",
                           .input_schema = {{"type", "object"},
                                            {"properties", {{"word", word}}},
                                            {"required", Json::array({"word"})}}},
                          [this](ToolCall& call) {
                            const std::string word = *call.StringArgument("word");
                            return ToolResult::Structured({{"count", notes_.count(word)}});
                          });
  }

  Result<void> AddWriting(McpServer& server) {
    return server.AddTool({.name = "write_note", .description = "Writes a note."},
                          [this, &server](ToolCall& call) {
                            const auto title = call.StringArgument("title");
                            if (!title) return ToolResult::Error(title.error().message);
                            const bool first = notes_.count(*title) == 0;
                            notes_[*title] = StringOrEmpty(call.arguments(), "text");
                            server.NotifyResourceUpdated("notes://" + *title);
                            if (first) server.NotifyResourceUpdated("notes://all");
                            return ToolResult::Text("Written.");
                          });
  }

  Result<void> AddTools(McpServer& server, boost::asio::io_context& loop) {
    server.ServeLogging();
    return server.AddTool({.name = "draw", .description = "Draws a note."}, [&loop](ToolCall call) {
      call.Log(LogLevel::kInfo, "draw", "sharpening the pencil");
      const auto timer =
          std::make_shared<boost::asio::steady_timer>(loop, std::chrono::milliseconds(10));
      timer->async_wait([call, timer](const auto&) mutable {
        ToolResult result;
        result.content.push_back(ImageContent("(the bytes of an image)", "image/png"));
        call.Reply(std::move(result));
      });
    });
  }

  Result<void> AddRemove(McpServer& server) {
    return server.AddTool(
        {.name = "remove", .description = "Removes a note."}, [this](ToolCall& call) {
          const auto title = call.StringArgument("title");
          if (!title) return ToolResult::Error(title.error().message);
          const Json* answer =
              call.Ask("confirm", Form("Remove the note " + *title + "?")
                                      .Add(BooleanField{{.name = "sure", .title = "I am sure"}}));
          if (answer == nullptr) return ToolResult();  // asked: this runs again with the answer
          const Json* content = AcceptedContent(*answer);
          if (content == nullptr || !FindBool(*content, "sure").value_or(false)) {
            return ToolResult::Text("The user does not want it removed.");
          }
          notes_.erase(*title);
          return ToolResult::Text("Removed.");
        });
  }

  Result<void> AddSort(McpServer& server, boost::asio::io_context& loop) {
    return server.AddTool({.name = "sort", .description = "Sorts all notes, which takes a while."},
                          [&loop](ToolCall call) {
                            const auto timer = std::make_shared<boost::asio::steady_timer>(
                                loop, std::chrono::milliseconds(10));
                            timer->async_wait([call, timer](const auto&) mutable {
                              if (!call.cancelled()) call.Reply(ToolResult::Text("Sorted."));
                            });
                          },
                          {.task = {TaskUse::Support::kOptional}});
  }

  JsonSchemaValidator schemas_;
  std::string log_;
  std::map<std::string, std::string> notes_ = {{"milk", "Buy *milk*."}, {"mail", "Answer Ann."}};
};

// What the server says to a stateless request.
std::string Ask(McpServer& server, boost::asio::io_context& loop, const std::string& method,
                const std::string& name, const std::string& params) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params +
      R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{},)"
      R"("extensions":{"io.modelcontextprotocol/tasks":{}}},"io.modelcontextprotocol/logLevel":"info"}}})";
  HttpRequest request("POST", body);
  request.AddHeader("accept", "application/json, text/event-stream");
  request.AddHeader("content-type", "application/json");
  request.AddHeader("mcp-protocol-version", "2026-07-28");
  request.AddHeader("mcp-method", method);
  if (!name.empty()) request.AddHeader("mcp-name", name);
  Effects effects;
  server.Handle(event::HttpRequested{ExchangeId{1}, request, {}}, MonotonicNow(), &effects);
  loop.restart();
  loop.run();
  server.Handle(event::Woken{}, MonotonicNow(), &effects);
  std::string said;
  for (const Effect& effect : effects) {
    if (const auto* whole = std::get_if<effect::HttpRespond>(&effect)) said += whole->body;
    if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) said += chunk->bytes;
  }
  return said;
}

class NotesTest : public testing::Test {
 protected:
  void SetUp() override {
    server_.SealStatesWith(sealer_);
    ASSERT_TRUE(notes_.AddTo(server_, loop_));
  }
  std::string Ask(const std::string& method, const std::string& name, const std::string& params) {
    return ::Ask(server_, loop_, method, name, params);
  }

  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  MemorySessionStore store_{{}, entropy_};
  KeyRingSealer sealer_{{MakeStateKey(entropy_)}, entropy_};
  McpServer server_{{.name = "notes"}, store_, entropy_};
  Notes notes_;
};

bool Has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

TEST_F(NotesTest, AreResources) {
  EXPECT_TRUE(Has(Ask("resources/read", "notes://all", R"("uri":"notes://all",)"),
                  R"("text":"mail\nmilk\n")"));
  EXPECT_TRUE(Has(Ask("resources/read", "notes://milk", R"("uri":"notes://milk",)"),
                  R"("text":"Buy *milk*.")"));
  EXPECT_TRUE(Has(Ask("resources/read", "notes://tea", R"("uri":"notes://tea",)"),
                  R"("data":{"uri":"notes://tea"})"));
}

TEST_F(NotesTest, AreCompleted) {
  EXPECT_TRUE(Has(Ask("completion/complete", "",
                      R"("ref":{"type":"ref/resource","uri":"notes://{title}"},)"
                      R"("argument":{"name":"title","value":"mi"},)"),
                  R"("values":["milk"])"));
}

TEST_F(NotesTest, ArePrompts) {
  EXPECT_TRUE(
      Has(Ask("prompts/get", "summarize", R"("name":"summarize","arguments":{"title":"milk"},)"),
          R"("uri":"notes://milk")"));
  EXPECT_TRUE(
      Has(Ask("prompts/get", "summarize", R"("name":"summarize","arguments":{"title":"tea"},)"),
          "there is no note of this title"));
}

TEST_F(NotesTest, AreCountedByAWord) {
  EXPECT_TRUE(
      Has(Ask("tools/call", "count_notes", R"("name":"count_notes","arguments":{"word":"milk"},)"),
          R"("count":1)"));
  EXPECT_TRUE(
      Has(Ask("tools/call", "count_notes", R"("name":"count_notes","arguments":{"word":"Milk"},)"),
          R"(/word: it does not match the pattern ^[a-z]+$)"));
}

TEST_F(NotesTest, AreListenedTo) {
  const std::string said = Ask("subscriptions/listen", "",
                               R"("notifications":{"resourceSubscriptions":["notes://tea"]},)");
  EXPECT_TRUE(Has(said, R"("notifications":{"resourceSubscriptions":["notes://tea"]})"));
  EXPECT_TRUE(Has(Ask("tools/call", "write_note",
                      R"("name":"write_note","arguments":{"title":"tea","text":"Green."},)"),
                  "Written."));
}

TEST_F(NotesTest, AreRemovedWhenTheUserIsSure) {
  const std::string params = R"("name":"remove","arguments":{"title":"milk"},)";
  const std::string asked = Ask("tools/call", "remove", params);
  EXPECT_TRUE(Has(asked, "Remove the note milk?"));
  const std::string before = R"("requestState":")";
  const std::size_t from = asked.find(before) + before.size();
  const std::string state = asked.substr(from, asked.find('"', from) - from);
  EXPECT_TRUE(Has(Ask("tools/call", "remove",
                      params + R"("requestState":")" + state +
                          R"(","inputResponses":{"confirm":)"
                          R"({"action":"accept","content":{"sure":true}}},)"),
                  "Removed."));
  EXPECT_TRUE(Has(Ask("resources/read", "notes://milk", R"("uri":"notes://milk",)"), "-32602"));
}

TEST_F(NotesTest, AreSortedInATask) {
  const std::string begun = Ask("tools/call", "sort", R"("name":"sort",)");
  const std::string before = R"("taskId":")";
  const std::size_t from = begun.find(before) + before.size();
  const std::string task = begun.substr(from, begun.find('"', from) - from);
  EXPECT_TRUE(Has(begun, R"("resultType":"task")"));
  EXPECT_TRUE(Has(Ask("tasks/get", task, before + task + "\","), "Sorted."));
}

TEST_F(NotesTest, AreDrawnLater) {
  const std::string said = Ask("tools/call", "draw", R"("name":"draw",)");
  EXPECT_TRUE(Has(said, "sharpening the pencil"));
  EXPECT_TRUE(Has(said, R"("type":"image")"));
}

}  // namespace
