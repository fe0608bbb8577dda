// What `mcp-session serve` offers beside its tools: a shelf of things to put into baskets, as a
// resource and a template whose prices a tool changes, a prompt that plans shopping, and
// completion.
#ifndef MCP_SESSION_CLI_DEMO_SHELF_H_
#define MCP_SESSION_CLI_DEMO_SHELF_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// The things and what they cost. One for all loops of a process, whose threads may use it at once;
// other processes have their own.
class DemoShelf {
 public:
  struct Thing {
    std::string_view item;
    std::int64_t cents;
    std::string_view about;
  };

  std::vector<Thing> All() const;
  std::optional<Thing> Find(std::string_view item) const;
  // False if there is no such thing.
  bool SetPrice(std::string_view item, std::int64_t cents);

 private:
  mutable std::mutex mutex_;
  std::array<Thing, 8> things_ = {{
      {"apple", 40, "A red one, from the valley."},
      {"bread", 320, "Rye, baked this morning."},
      {"butter", 250, "Half a pound."},
      {"cheese", 480, "A wheel of goat's cheese."},
      {"flour", 120, "Wheat, one kilogram."},
      {"milk", 110, "One litre."},
      {"onion", 30, "A yellow one."},
      {"tomato", 60, "Ripe."},
  }};
};

// Both must outlive what handlers are called with. ServeChanges goes first, for clients to hear of
// new prices.
Result<void> AddDemoShelf(McpServer& server, DemoShelf& shelf);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_DEMO_SHELF_H_
