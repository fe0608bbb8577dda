// The server that the public conformance suite tests (conformance_test.mjs): what its scenarios
// ask for by name, both eras on one endpoint. It listens on a free port, says which, and serves
// until it is told to stop.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/http/server.h"
#include "mcp_session/schema/json_schema_validator.h"
#include "mcp_session/seal/key_ring_sealer.h"
#include "mcp_session/server/content.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/conformance/asking_fixtures.h"
#include "tests/conformance/task_fixtures.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

// The bytes of a literal, NULs included.
template <std::size_t N>
std::string Bytes(const char (&literal)[N]) {
  return std::string(literal, N - 1);
}

// The smallest PNG and WAV there are.
const std::string kPng = Bytes(
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\6\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9c"
    "c\0\1\0\0\5\0\1\r\n-\xb4\0\0\0\0IEND\xae"
    "B`\x82");
const std::string kWav =
    Bytes("RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0@\x1f\0\0\1\0\b\0data\0\0\0\0");

Json Embedded() {
  return EmbeddedResource(
      TextContents("An embedded resource.", "test://embedded-resource", "text/plain"));
}

ToolResult Content(Json block) {
  ToolResult result;
  result.content.push_back(std::move(block));
  return result;
}

ToolResult Mixed() {
  ToolResult result = Content(TextContent("Several kinds of content:"));
  result.content.push_back(ImageContent(kPng, "image/png"));
  result.content.push_back(Embedded());
  return result;
}

// Calls `step` with 0, 1, 2, each some time after the other, and then answers `call`.
void InSteps(asio::io_context& loop, ToolCall call, std::function<void(ToolCall&, int)> step,
             int at = 0) {
  if (at == 3) return call.Reply(ToolResult::Text("Done."));
  step(call, at);
  const auto timer = std::make_shared<asio::steady_timer>(loop, std::chrono::milliseconds(50));
  timer->async_wait([&loop, call, step = std::move(step), at, timer](const auto& error) {
    if (!error && !call.cancelled()) InSteps(loop, call, step, at + 1);
  });
}

Json Schema2020() {
  const Json text = {{"type", "string"}};
  const auto required = [](const char* name) { return Json{{"required", Json::array({name})}}; };
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"type", "object"},
          {"$defs",
           {{"address",
             {{"$anchor", "addressDef"},
              {"type", "object"},
              {"properties", {{"street", text}, {"city", text}}}}}}},
          {"properties",
           {{"name", text},
            {"address", {{"$ref", "#/$defs/address"}}},
            {"contactMethod", {{"type", "string"}, {"enum", {"phone", "email"}}}},
            {"phone", text},
            {"email", text}}},
          {"allOf", Json::array({{{"anyOf", {required("phone"), required("email")}}}})},
          {"if",
           {{"properties", {{"contactMethod", {{"const", "phone"}}}}},
            {"required", Json::array({"contactMethod"})}}},
          {"then", required("phone")},
          {"else", required("email")},
          {"additionalProperties", false}};
}

// --- what is registered ---

class Fixtures {
 public:
  Fixtures(McpServer& server, asio::io_context& loop) : server_(server), loop_(loop) {}

  // The first thing that was refused, if any.
  Result<void> AddAll() {
    server_.ServeChanges();
    server_.ServeLogging();
    server_.ServeTasks({.unix_millis = UnixMillis});
    AddTools();
    AddResources();
    AddPrompts();
    return added_;
  }

 private:
  void Add(const Result<void>& added) {
    if (added_ && !added) added_ = added;
  }

  template <typename Handler>
  void AddTool(const char* name, const char* description, Handler handler, Json schema = {}) {
    Add(server_.AddTool(
        {.name = name, .description = description, .input_schema = std::move(schema)},
        std::move(handler)));
  }

  void AddTools() {
    AddTool("test_simple_text", "Answers with text.",
            [](ToolCall&) { return ToolResult::Text("A simple text."); });
    AddTool("test_image_content", "Answers with an image.",
            [](ToolCall&) { return Content(ImageContent(kPng, "image/png")); });
    AddTool("test_audio_content", "Answers with a sound.",
            [](ToolCall&) { return Content(AudioContent(kWav, "audio/wav")); });
    AddTool("test_embedded_resource", "Answers with a resource.",
            [](ToolCall&) { return Content(Embedded()); });
    AddTool("test_multiple_content_types", "Answers with several kinds of content.",
            [](ToolCall&) { return Mixed(); });
    AddTool("test_error_handling", "Always fails.",
            [](ToolCall&) { return ToolResult::Error("It failed, as it always does."); });
    AddTool("test_tool_with_progress", "Tells how far it is.", [&loop = loop_](ToolCall call) {
      InSteps(loop, std::move(call), [](ToolCall& of, int at) { of.Progress(50.0 * at, 100); });
    });
    AddTool("test_tool_with_logging", "Says what it does.", [&loop = loop_](ToolCall call) {
      InSteps(loop, std::move(call), [](ToolCall& of, int at) {
        of.Log(LogLevel::kInfo, "everything", "step " + std::to_string(at));
      });
    });
    AddTool("test_logging_tool", "Says something.", [](ToolCall& call) {
      call.Log(LogLevel::kInfo, "", "called");
      return ToolResult::Text("Done.");
    });
    Add(server_.AddTool(
        {.name = "test_missing_capability", .description = "Needs a client that samples."},
        [](ToolCall&) { return ToolResult::Text("Done."); },
        {.required_capabilities = {{"sampling", Json::object()}}}));
    AddTool("test_streaming_elicitation", "Tells how far it is, and asks for nothing.",
            [](ToolCall& call) {
              call.Progress(1, 1);
              return ToolResult::Text("Done.");
            });
    AddTool("test_reconnection", "Lets go of its client, who comes back for the answer.",
            [&loop = loop_](ToolCall call) {
              call.CloseStream();
              InSteps(loop, std::move(call), [](ToolCall&, int) {});
            });
    AddTool("test_trigger_tool_change", "Tells that the tools changed.", [this](ToolCall&) {
      server_.NotifyToolsChanged();
      return ToolResult::Text("Done.");
    });
    AddTool("test_trigger_prompt_change", "Tells that the prompts changed.", [this](ToolCall&) {
      server_.NotifyPromptsChanged();
      return ToolResult::Text("Done.");
    });
    AddTool("touch_watched_resource", "Tells that the watched resource changed.",
            [this](ToolCall&) {
              server_.NotifyResourceUpdated("test://watched-resource");
              return ToolResult::Text("Done.");
            });
    AddTool("greet", "Says hello.", [](ToolCall& call) {
      const auto name = call.StringArgument("name");
      return name ? ToolResult::Text("Hello, " + *name + "!")
                  : ToolResult::Error(name.error().message);
    });
    AddTool("test_x_mcp_header", "Has an argument that a header repeats.",
            [](ToolCall&) { return ToolResult::Text("Done."); },
            {{"type", "object"},
             {"properties", {{"region", {{"type", "string"}, {"x-mcp-header", "Region"}}}}}});
    AddTool(
        "json_schema_2020_12_tool", "Has a schema with many keywords.",
        [](ToolCall&) { return ToolResult::Text("Done."); }, Schema2020());
  }

  void AddResources() {
    Add(server_.AddResource({.uri = "test://static-text",
                             .name = "Static text",
                             .description = "A text that never changes.",
                             .mime_type = "text/plain"},
                            [](ResourceCall&) { return ResourceResult::Text("A static text."); }));
    Add(server_.AddResource({.uri = "test://static-binary",
                             .name = "Static binary",
                             .description = "An image that never changes.",
                             .mime_type = "image/png"},
                            [](ResourceCall&) { return ResourceResult::Blob(kPng); }));
    Add(server_.AddResource({.uri = "test://watched-resource",
                             .name = "Watched resource",
                             .description = "A text that one may subscribe to.",
                             .mime_type = "text/plain"},
                            [](ResourceCall&) { return ResourceResult::Text("A watched text."); }));
    Add(server_.AddResourceTemplate(
        {.uri_template = "test://template/{id}/data",
         .name = "Template",
         .description = "Data by its id.",
         .mime_type = "application/json"},
        [](ResourceCall& call) {
          return ResourceResult::Text(
              Json{{"id", call.Variable("id")}, {"data", "Data of " + call.Variable("id")}}.dump());
        }));
  }

  void AddPrompts() {
    Add(server_.AddPrompt(
        {.name = "test_simple_prompt", .description = "A prompt without arguments."},
        [](PromptCall&) { return PromptResult::Text("This is a simple prompt."); }));
    Add(server_.AddPrompt(
        {.name = "test_prompt_with_arguments",
         .description = "A prompt that repeats its arguments.",
         .arguments = {{.name = "arg1", .description = "The first", .required = true},
                       {.name = "arg2", .description = "The second", .required = true}}},
        [](PromptCall& call) {
          return PromptResult::Text("arg1 is '" + call.Argument("arg1") + "', arg2 is '" +
                                    call.Argument("arg2") + "'.");
        }));
    Add(server_.AddCompletion(
        {.prompt = "test_prompt_with_arguments", .argument = "arg1"}, [](CompletionCall& call) {
          return CompletionResult::StartingWith(call.typed(), {"paris", "park", "party", "test"});
        }));
    Add(server_.AddPrompt(
        {.name = "test_prompt_with_embedded_resource",
         .description = "A prompt with a resource in it.",
         .arguments = {{.name = "resourceUri", .description = "Its URI", .required = true}}},
        [](PromptCall& call) {
          PromptResult result;
          result.AddUser(EmbeddedResource(
              TextContents("An embedded text.", call.Argument("resourceUri"), "text/plain")));
          result.AddUser(TextContent("Read the resource above."));
          return result;
        }));
    Add(server_.AddPrompt(
        {.name = "test_prompt_with_image", .description = "A prompt with an image in it."},
        [](PromptCall&) {
          PromptResult result;
          result.AddUser(ImageContent(kPng, "image/png"));
          result.AddUser(TextContent("Look at the image above."));
          return result;
        }));
  }

  McpServer& server_;
  asio::io_context& loop_;
  Result<void> added_;
};

int Serve() {
  asio::io_context loop(1);
  SystemEntropy entropy;
  MemorySessionStore store({}, entropy);
  const JsonSchemaValidator schemas;
  KeyRingSealer sealer({MakeStateKey(entropy)}, entropy);
  McpServer server({.name = "everything", .version = "1", .hosts = LoopbackHosts()}, store,
                   entropy);
  server.CheckArgumentsWith(schemas);
  server.SealStatesWith(sealer);
  Fixtures fixtures(server, loop);
  Result<void> added = fixtures.AddAll();
  if (added) added = AddAskingFixtures(server);
  if (added) added = AddTaskFixtures(server, loop);
  HttpServer host(loop, server, {.port = 0});
  const Result<HttpAddress> address = host.Listen();
  if (!added || !address) {
    std::fprintf(stderr, "%s\n", (added ? address.error() : added.error()).message.c_str());
    return 1;
  }
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](const auto& error, int) {
    if (!error) host.Stop();
  });
  std::printf("http://localhost:%d/mcp\n", address->port);
  std::fflush(stdout);
  host.Run();
  return 0;
}

}  // namespace
}  // namespace mcp_session

int main() { return mcp_session::Serve(); }
