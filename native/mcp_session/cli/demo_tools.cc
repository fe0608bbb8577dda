#include "mcp_session/cli/demo_tools.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/json.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr std::int64_t kMaxQuantity = 1000;
constexpr std::size_t kMaxItems = 100;
constexpr std::size_t kMaxItemBytes = 100;

// --- schemas ---

Json Text(const char* description) { return {{"type", "string"}, {"description", description}}; }

Json Whole(const char* description) { return {{"type", "integer"}, {"description", description}}; }

Json Whole(const char* description, std::int64_t minimum, std::int64_t maximum,
           std::int64_t otherwise) {
  Json schema = Whole(description);
  schema["minimum"] = minimum;
  schema["maximum"] = maximum;
  schema["default"] = otherwise;
  return schema;
}

Json ListOf(Json schema) { return {{"type", "array"}, {"items", std::move(schema)}}; }

// `required` are the first so many of the properties.
Json Object(const Json& properties = Json::object(), std::size_t required = 0) {
  Json schema = {{"type", "object"}, {"properties", properties}};
  Json names = Json::array();
  for (const auto& [name, property] : properties.items()) {
    if (names.size() < required) names.push_back(name);
  }
  if (!names.empty()) schema["required"] = std::move(names);
  schema["additionalProperties"] = false;
  return schema;
}

Json ObjectWithAll(const Json& properties) { return Object(properties, properties.size()); }

Json Basket() {
  return ObjectWithAll({{"basket", Text("The basket's handle")},
                        {"items", ListOf(ObjectWithAll({{"item", Text("What it is")},
                                                        {"quantity", Whole("How many")}}))},
                        {"total", Whole("How many things are in the basket")}});
}

Json BasketArgument() { return Text("The basket's handle, as create_basket returned it"); }

// None of the tools reaches beyond this server, so openWorldHint is always false.
Json Reads() { return {{"readOnlyHint", true}, {"openWorldHint", false}}; }

Json Writes(bool destructive, bool idempotent) {
  return {{"readOnlyHint", false},
          {"destructiveHint", destructive},
          {"idempotentHint", idempotent},
          {"openWorldHint", false}};
}

// --- arguments ---

Result<std::int64_t> WholeArgument(const ToolCall& call, const char* name, std::int64_t minimum,
                                   std::int64_t maximum, std::int64_t otherwise) {
  if (Find(call.arguments(), name) == nullptr) return otherwise;
  MCPS_TRY(const std::int64_t value, call.IntegerArgument(name));
  if (value >= minimum && value <= maximum) return value;
  return Failure(ErrorCode::kInvalidParams, Blame::kPeer,
                 "the argument " + std::string(name) + " must be from " + std::to_string(minimum) +
                     " to " + std::to_string(maximum));
}

// --- the basket ---

// The state of a basket is {"items": [{"item": ..., "quantity": ...}]}.
ToolResult Show(ToolCall& call) {
  Json items = Json::array();
  std::int64_t total = 0;
  if (const Json* kept = FindArray(call.state(), "items")) items = *kept;
  for (const Json& item : items) total += FindInteger(item, "quantity").value_or(0);
  return ToolResult::Structured(
      Json{{"basket", call.handle()}, {"items", std::move(items)}, {"total", total}});
}

ToolResult CreateBasket(ToolCall& call) {
  call.state()["items"] = Json::array();
  return ToolResult::Structured(Json{{"basket", call.handle()}});
}

ToolResult AddItem(ToolCall& call) {
  const auto item = call.StringArgument("item");
  if (!item) return ToolResult::Error(item.error().message);
  if (item->empty() || item->size() > kMaxItemBytes) {
    return ToolResult::Error("the argument item must have 1 to 100 bytes");
  }
  const auto quantity = WholeArgument(call, "quantity", 1, kMaxQuantity, 1);
  if (!quantity) return ToolResult::Error(quantity.error().message);
  Json& items = call.state()["items"];
  for (Json& kept : items) {
    const std::string* name = FindString(kept, "item");
    if (name == nullptr || *name != *item) continue;
    kept["quantity"] = FindInteger(kept, "quantity").value_or(0) + *quantity;
    return Show(call);
  }
  if (items.size() >= kMaxItems) return ToolResult::Error("the basket is full");
  items.push_back(Json{{"item", *item}, {"quantity", *quantity}});
  return Show(call);
}

ToolResult ListBaskets(ToolCall& call) {
  Json baskets = Json::array();
  for (const HandleInfo& info : call.handles()) {
    baskets.push_back(
        Json{{"basket", info.handle}, {"expires_in_seconds", info.expires_in.count / 1000}});
  }
  return ToolResult::Structured(Json{{"baskets", std::move(baskets)}});
}

// Asks before it throws things away, if the client has somebody to ask.
ToolResult EndBasket(ToolCall& call) {
  const Json* items = FindArray(call.state(), "items");
  const Form question = Form("Throw the basket away, with what is in it?")
                            .Add(BooleanField{{.name = "sure", .title = "Throw it away"}});
  if (items != nullptr && !items->empty() && call.CanAsk(question)) {
    const Json* answer = call.Ask("sure", question);
    if (answer == nullptr) return {};
    const Json* content = AcceptedContent(*answer);
    if (content == nullptr || !FindBool(*content, "sure").value_or(false)) {
      return ToolResult::Structured(Json{{"basket", call.handle()}, {"ended", false}});
    }
  }
  call.EndHandle();
  return ToolResult::Structured(Json{{"basket", call.handle()}, {"ended", true}});
}

// --- counting ---

ToolResult Count(ToolCall& call) {
  const auto by = WholeArgument(call, "by", -1'000'000, 1'000'000, 1);
  if (!by) return ToolResult::Error(by.error().message);
  const std::int64_t count = FindInteger(call.state(), "count").value_or(0) + *by;
  call.state()["count"] = count;
  return ToolResult::Structured(Json{{"count", count}});
}

// A count under way: it keeps the call, and is itself kept by the timer it waits for.
struct SlowCount {
  ToolCall call;
  asio::steady_timer timer;
  std::int64_t to;
  std::chrono::milliseconds delay;
  std::int64_t at = 0;
};

void CountOn(const std::shared_ptr<SlowCount>& count) {
  count->timer.expires_after(count->delay);
  count->timer.async_wait([count](const boost::system::error_code& error) {
    if (error || count->call.cancelled()) return;
    ++count->at;
    count->call.Progress(static_cast<double>(count->at), static_cast<double>(count->to),
                         "counted to " + std::to_string(count->at));
    if (count->at < count->to) return CountOn(count);
    count->call.Reply(ToolResult::Structured(Json{{"counted_to", count->to}}));
  });
}

void StartSlowCount(asio::io_context& loop, ToolCall call) {
  const auto to = WholeArgument(call, "to", 1, 100, 5);
  if (!to) return call.Reply(ToolResult::Error(to.error().message));
  const auto delay = WholeArgument(call, "delay_ms", 0, 2000, 200);
  if (!delay) return call.Reply(ToolResult::Error(delay.error().message));
  CountOn(std::make_shared<SlowCount>(SlowCount{std::move(call), asio::steady_timer(loop), *to,
                                                std::chrono::milliseconds(*delay)}));
}

}  // namespace

Result<void> AddDemoTools(McpServer& server, asio::io_context& loop) {
  Result<void> added;
  const auto add = [&](Tool tool, auto handler, const ToolDecoration& decoration = {}) {
    if (added) added = server.AddTool(std::move(tool), std::move(handler), decoration);
  };
  add({.name = "create_basket",
       .title = "Create a basket",
       .description = "Makes an empty shopping basket.",
       .input_schema = Object(),
       .output_schema = ObjectWithAll({{"basket", Text("The new basket's handle")}}),
       .annotations = Writes(false, false),
       .state = MakesHandle("basket")},
      CreateBasket);
  add({.name = "add_item",
       .title = "Add to a basket",
       .description = "Puts things into a basket; more of what is there already adds up.",
       .input_schema = Object({{"basket", BasketArgument()},
                               {"item", Text("What to put in, at most 100 bytes")},
                               {"quantity", Whole("How many of it", 1, kMaxQuantity, 1)}},
                              2),
       .output_schema = Basket(),
       .annotations = Writes(false, false),
       .state = TakesHandle("basket")},
      AddItem);
  add({.name = "get_basket",
       .title = "Look into a basket",
       .description = "Tells what is in a basket.",
       .input_schema = Object({{"basket", BasketArgument()}}, 1),
       .output_schema = Basket(),
       .annotations = Reads(),
       .state = TakesHandle("basket")},
      Show);
  add({.name = "list_baskets",
       .title = "List baskets",
       .description = "Lists the baskets of this session, or of whoever is logged in.",
       .input_schema = Object(),
       .output_schema = ObjectWithAll(
           {{"baskets", ListOf(ObjectWithAll({{"basket", Text("The basket's handle")},
                                              {"expires_in_seconds",
                                               Whole("Until it ends, if nobody uses it")}}))}}),
       .annotations = Reads(),
       .state = ListsHandles("basket")},
      ListBaskets);
  add({.name = "end_basket",
       .title = "End a basket",
       .description = "Throws a basket away, with what is in it.",
       .input_schema = Object({{"basket", BasketArgument()}}, 1),
       .output_schema =
           ObjectWithAll({{"basket", Text("The handle it had")}, {"ended", {{"type", "boolean"}}}}),
       .annotations = Writes(true, true),
       .state = TakesHandle("basket")},
      EndBasket);
  add({.name = "count",
       .title = "Count in the session",
       .description = "Adds to a counter that belongs to the session, and tells where it is. "
                      "Needs a session: a client of the stateless revision has none.",
       .input_schema = Object({{"by", Whole("What to add", -1'000'000, 1'000'000, 1)}}),
       .output_schema = ObjectWithAll({{"count", Whole("Where the counter is now")}}),
       .annotations = Writes(false, false),
       .state = UsesSession()},
      Count);
  add({.name = "slow_count",
       .title = "Count slowly",
       .description = "Counts from 1 and reports progress at each number. Can be cancelled.",
       .input_schema =
           Object({{"to", Whole("Where to stop", 1, 100, 5)},
                   {"delay_ms", Whole("Milliseconds before each number", 0, 2000, 200)}}),
       .output_schema = ObjectWithAll({{"counted_to", Whole("The last number")}}),
       .annotations = Reads()},
      [&loop](ToolCall call) { StartSlowCount(loop, std::move(call)); },
      {.task = {TaskUse::Support::kOptional}});
  return added;
}

}  // namespace mcp_session
