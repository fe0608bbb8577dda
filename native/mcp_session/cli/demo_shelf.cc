#include "mcp_session/cli/demo_shelf.h"

#include <string>

namespace mcp_session {
namespace {

constexpr char kShelfUri[] = "demo://shelf";
constexpr char kItemTemplate[] = "demo://shelf/{item}";
constexpr std::int64_t kMaxCents = 100'000;

std::vector<std::string> Items(const DemoShelf& shelf) {
  std::vector<std::string> items;
  for (const DemoShelf::Thing& thing : shelf.All()) items.emplace_back(thing.item);
  return items;
}

Json Describe(const DemoShelf::Thing& thing) {
  return {{"item", thing.item}, {"cents", thing.cents}, {"about", thing.about}};
}

ResourceResult ShowShelf(const DemoShelf& shelf) {
  Json things = Json::array();
  for (const DemoShelf::Thing& thing : shelf.All()) things.push_back(Describe(thing));
  return ResourceResult::Text(things.dump());
}

Result<ResourceResult> ShowItem(const DemoShelf& shelf, ResourceCall& call) {
  const auto thing = shelf.Find(call.Variable("item"));
  if (!thing) return Failure(ErrorCode::kNotFound, Blame::kPeer, "this is not on the shelf");
  return ResourceResult::Text(Describe(*thing).dump());
}

// Those who watch the thing, or the shelf, are told to look again.
ToolResult SetPrice(McpServer& server, DemoShelf& shelf, ToolCall& call) {
  const auto item = call.StringArgument("item");
  if (!item) return ToolResult::Error(item.error().message);
  const auto cents = call.IntegerArgument("cents");
  if (!cents) return ToolResult::Error(cents.error().message);
  if (*cents < 1 || *cents > kMaxCents) {
    return ToolResult::Error("the argument cents must be from 1 to 100000");
  }
  if (!shelf.SetPrice(*item, *cents)) return ToolResult::Error("this is not on the shelf");
  server.NotifyResourceUpdated("demo://shelf/" + *item);
  server.NotifyResourceUpdated(kShelfUri);
  return ToolResult::Structured(Json{{"item", *item}, {"cents", *cents}});
}

Tool SetPriceTool() {
  const Json cents = {{"type", "integer"},
                      {"description", "What it costs from now on"},
                      {"minimum", 1},
                      {"maximum", kMaxCents}};
  const Json item = {{"type", "string"}, {"description", "What is on the shelf"}};
  const Json both = {{"type", "object"},
                     {"properties", {{"item", item}, {"cents", cents}}},
                     {"required", {"item", "cents"}},
                     {"additionalProperties", false}};
  return {.name = "set_price",
          .title = "Change a price",
          .description = "Changes what a thing on the shelf costs; who watches it is told.",
          .input_schema = both,
          .output_schema = both,
          .annotations = {{"readOnlyHint", false},
                          {"destructiveHint", false},
                          {"idempotentHint", true},
                          {"openWorldHint", false}}};
}

PromptResult Plan(PromptCall& call) {
  const std::string meal = call.Argument("meal");
  return PromptResult::Text(
      "Read demo://shelf, make a basket with create_basket, put into it what " + meal +
      " needs with add_item, and say what it costs.");
}

}  // namespace

std::vector<DemoShelf::Thing> DemoShelf::All() const {
  const std::scoped_lock lock(mutex_);
  return {things_.begin(), things_.end()};
}

std::optional<DemoShelf::Thing> DemoShelf::Find(std::string_view item) const {
  const std::scoped_lock lock(mutex_);
  for (const Thing& thing : things_) {
    if (thing.item == item) return thing;
  }
  return std::nullopt;
}

bool DemoShelf::SetPrice(std::string_view item, std::int64_t cents) {
  const std::scoped_lock lock(mutex_);
  for (Thing& thing : things_) {
    if (thing.item != item) continue;
    thing.cents = cents;
    return true;
  }
  return false;
}

Result<void> AddDemoShelf(McpServer& server, DemoShelf& shelf) {
  auto added = server.AddResource({.uri = kShelfUri,
                                   .name = "The shelf",
                                   .description = "All that one can put into a basket.",
                                   .mime_type = "application/json"},
                                  [&shelf](ResourceCall&) { return ShowShelf(shelf); });
  if (!added) return added;
  added =
      server.AddResourceTemplate({.uri_template = kItemTemplate,
                                  .name = "A thing on the shelf",
                                  .description = "What it costs, and what it is.",
                                  .mime_type = "application/json"},
                                 [&shelf](ResourceCall& call) { return ShowItem(shelf, call); });
  if (!added) return added;
  added = server.AddTool(
      SetPriceTool(), [&server, &shelf](ToolCall& call) { return SetPrice(server, shelf, call); });
  if (!added) return added;
  added = server.AddCompletion({.uri_template = kItemTemplate, .argument = "item"},
                               [items = Items(shelf)](CompletionCall& call) {
                                 return CompletionResult::StartingWith(call.typed(), items);
                               });
  if (!added) return added;
  return server.AddPrompt(
      {.name = "plan_shopping",
       .title = "Plan the shopping",
       .description = "Fills a basket for a meal.",
       .arguments = {{.name = "meal", .description = "What is to be cooked", .required = true}}},
      Plan);
}

}  // namespace mcp_session
