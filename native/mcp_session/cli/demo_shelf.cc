#include "mcp_session/cli/demo_shelf.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {
namespace {

struct Thing {
  std::string_view item;
  int cents;
  std::string_view about;
};

constexpr std::array<Thing, 8> kShelf = {{
    {"apple", 40, "A red one, from the valley."},
    {"bread", 320, "Rye, baked this morning."},
    {"butter", 250, "Half a pound."},
    {"cheese", 480, "A wheel of goat's cheese."},
    {"flour", 120, "Wheat, one kilogram."},
    {"milk", 110, "One litre."},
    {"onion", 30, "A yellow one."},
    {"tomato", 60, "Ripe."},
}};

constexpr char kItemTemplate[] = "demo://shelf/{item}";

const CachePolicy kSameForAll{Minutes(10), true};

std::vector<std::string> Items() {
  std::vector<std::string> items;
  for (const Thing& thing : kShelf) items.emplace_back(thing.item);
  return items;
}

Json Describe(const Thing& thing) {
  return {{"item", thing.item}, {"cents", thing.cents}, {"about", thing.about}};
}

Result<ResourceResult> ShowShelf(ResourceCall&) {
  Json shelf = Json::array();
  for (const Thing& thing : kShelf) shelf.push_back(Describe(thing));
  return ResourceResult::Text(shelf.dump());
}

Result<ResourceResult> ShowItem(ResourceCall& call) {
  const std::string item = call.Variable("item");
  const auto* thing = std::find_if(kShelf.begin(), kShelf.end(),
                                   [&](const Thing& each) { return each.item == item; });
  if (thing == kShelf.end()) {
    return Failure(ErrorCode::kNotFound, Blame::kPeer, "this is not on the shelf");
  }
  return ResourceResult::Text(Describe(*thing).dump());
}

PromptResult Plan(PromptCall& call) {
  const std::string meal = call.Argument("meal");
  return PromptResult::Text(
      "Read demo://shelf, make a basket with create_basket, put into it what " + meal +
      " needs with add_item, and say what it costs.");
}

}  // namespace

Result<void> AddDemoShelf(McpServer& server) {
  auto added = server.AddResource({.uri = "demo://shelf",
                                   .name = "The shelf",
                                   .description = "All that one can put into a basket.",
                                   .mime_type = "application/json",
                                   .cache = kSameForAll},
                                  ShowShelf);
  if (!added) return added;
  added = server.AddResourceTemplate({.uri_template = kItemTemplate,
                                      .name = "A thing on the shelf",
                                      .description = "What it costs, and what it is.",
                                      .mime_type = "application/json",
                                      .cache = kSameForAll},
                                     ShowItem);
  if (!added) return added;
  added = server.AddCompletion({.uri_template = kItemTemplate, .argument = "item"},
                               [items = Items()](CompletionCall& call) {
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
