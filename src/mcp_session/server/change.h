// What can change on a server while clients listen, and its form on the bus (docs/formats.md).
// Private to this folder.
#ifndef MCP_SESSION_SERVER_CHANGE_H_
#define MCP_SESSION_SERVER_CHANGE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {

struct Change {
  enum class Kind : std::uint8_t {
    kNothing,  // only marks a place on the bus
    kTools,
    kPrompts,
    kResources,
    kResource,  // the contents of `uri`
    kAnything,  // nobody knows what, since some was missed
    kSession,   // what sessions have subscribed to whose ids begin with `uri`
    kTask,      // tasks whose ids begin with `uri`, which is kTaskChars long
  };
  Kind kind = Kind::kNothing;
  std::string uri;
  bool operator==(const Change&) const = default;
};

// So much of a task's id is on the bus, and no more: the whole is a secret.
inline constexpr std::size_t kTaskChars = 11;
// Of an id that one listens for.
inline constexpr std::size_t kMaxTaskIdBytes = 128;

// Which lists one listens for.
struct Interest {
  bool tools = false;
  bool prompts = false;
  bool resources = false;
};

// Calls tell(method, members) for each notification of `changes` that is of interest; `uris` are
// those of the resources that are.
void ForEachNews(const std::vector<Change>& changes, Interest interest,
                 const std::vector<std::string>& uris,
                 const std::function<void(std::string_view, std::string_view)>& tell);

bool HasTaskChanged(const std::vector<Change>& changes, std::string_view task);

// `node` is the name of the one who says it, kNodeChars long.
inline constexpr std::size_t kNodeChars = 11;
std::string EncodeChange(std::string_view node, const Change& change);

struct SaidChange {
  std::string_view node;
  Change change;
};
// nullopt: nothing that this version knows.
std::optional<SaidChange> DecodeChange(std::string_view data);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CHANGE_H_
