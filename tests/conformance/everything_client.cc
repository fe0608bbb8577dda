// everything_client URL: the client that the public conformance suite plays its scenarios with. The
// scenario's name is in MCP_CONFORMANCE_SCENARIO, and what it needs in MCP_CONFORMANCE_CONTEXT.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "mcp_session/client/form.h"
#include "mcp_session/client_host/awaitable_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

Json Members(std::string_view text) { return ParseJson(text).value_or(EmptyObject()); }

// Says so on stderr if a call failed, and goes on.
bool Worked(const char* what, const ClientResult<Json>& result) {
  if (!result) {
    std::fprintf(stderr, "%s: %s\n", what, result.error().error.message.c_str());
  }
  return result.has_value();
}

asio::awaitable<void> CallListed(AwaitableClient& client, Json list) {
  for (const Json& tool : *FindArray(list, "tools")) {
    const std::string name = StringOrEmpty(tool, "name");
    ClientResult<Json> result = co_await client.CallTool(name, EmptyObject());
    Worked(name.c_str(), result);
  }
}

// Reads what there is and gets what there is.
asio::awaitable<void> LookAround(AwaitableClient& client) {
  ClientResult<Json> resources = co_await client.ListResources();
  if (Worked("resources/list", resources)) {
    for (const Json& resource : *FindArray(*resources, "resources")) {
      ClientResult<Json> read = co_await client.ReadResource(StringOrEmpty(resource, "uri"));
      Worked("resources/read", read);
    }
  }
  ClientResult<Json> prompts = co_await client.ListPrompts();
  if (Worked("prompts/list", prompts)) {
    for (const Json& prompt : *FindArray(*prompts, "prompts")) {
      ClientResult<Json> got = co_await client.GetPrompt(StringOrEmpty(prompt, "name"));
      Worked("prompts/get", got);
    }
  }
}

asio::awaitable<void> CallAsTold(AwaitableClient& client, Json context) {
  const Json* calls = FindArray(context, "toolCalls");
  for (std::size_t i = 0; calls != nullptr && i < calls->size(); ++i) {
    const Json* given = FindObject((*calls)[i], "arguments");
    Json arguments = given ? *given : EmptyObject();
    std::string name = StringOrEmpty((*calls)[i], "name");
    ClientResult<Json> result = co_await client.CallTool(std::move(name), std::move(arguments));
    Worked("tools/call", result);
  }
}

asio::awaitable<void> EchoSchema(AwaitableClient& client, Json list) {
  for (const Json& tool : *FindArray(list, "tools")) {
    const Json* schema = Find(tool, "inputSchema");
    if (StringOrEmpty(tool, "name") != "json_schema_2020_12_tool" || schema == nullptr) continue;
    Json arguments = EmptyObject();
    arguments["schema"] = *schema;
    ClientResult<Json> result = co_await client.CallTool("json_schema_echo", std::move(arguments));
    Worked("json_schema_echo", result);
  }
}

asio::awaitable<void> Play(AwaitableClient& client, std::string scenario, Json context) {
  ClientResult<Json> tools = co_await client.ListTools();
  if (!Worked("tools/list", tools)) co_return;
  if (scenario == "tools_call") {
    ClientResult<Json> sum = co_await client.CallTool("add_numbers", Members(R"({"a":5,"b":3})"));
    Worked("add_numbers", sum);
  } else if (scenario == "http-standard-headers") {
    co_await CallListed(client, *tools);
    co_await LookAround(client);
  } else if (scenario == "http-custom-headers") {
    co_await CallAsTold(client, std::move(context));
  } else if (scenario == "json-schema-2020-12-preservation") {
    co_await EchoSchema(client, *tools);
  } else if (scenario == "sep-2322-client-request-state") {
    // test_mrtr_unrelated is called while the first of these is asking.
    for (const char* name :
         {"test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_no_result_type"}) {
      ClientResult<Json> result = co_await client.CallTool(name, EmptyObject());
      Worked(name, result);
    }
  } else if (scenario != "initialize" && scenario != "json-schema-ref-no-deref") {
    co_await CallListed(client, *tools);
  }
}

// Fills forms in; in the scenario that is about rounds, after a call of something else.
asio::awaitable<std::variant<Json, RpcError>> FillIn(AwaitableClient*& client, bool rounds,
                                                     bool& asked, Json params) {
  if (rounds && !std::exchange(asked, true)) {
    ClientResult<Json> other = co_await client->CallTool("test_mrtr_unrelated", EmptyObject());
    Worked("test_mrtr_unrelated", other);
  }
  std::variant<Json, RpcError> answer =
      AcceptForm(params, rounds ? Members(R"({"confirmed":true})") : Json());
  co_return answer;
}

asio::awaitable<void> Run(AwaitableClient& client, std::string scenario, Json context) {
  co_await Play(client, std::move(scenario), std::move(context));
  co_await client.Close();
}

int Main(const std::string& url) {
  const std::string scenario = Variable("MCP_CONFORMANCE_SCENARIO");
  asio::io_context loop(1);
  auto link = MakeHttpLink(loop, {.url = url});
  if (!link) {
    std::fprintf(stderr, "%s\n", link.error().message.c_str());
    return 2;
  }
  AwaitableClient* current = nullptr;
  bool asked = false;
  const bool rounds = scenario == "sep-2322-client-request-state";
  ClientHandlers handlers;
  handlers.elicitation = [&](Json params) {
    return FillIn(current, rounds, asked, std::move(params));
  };
  AwaitableClient client(loop, std::move(*link), {.name = "everything_client"}, handlers);
  current = &client;
  asio::co_spawn(loop, Run(client, scenario, Members(Variable("MCP_CONFORMANCE_CONTEXT"))),
                 [](const std::exception_ptr& thrown) {
                   if (thrown) std::terminate();
                 });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) { return mcp_session::Main(argc > 1 ? argv[argc - 1] : ""); }
