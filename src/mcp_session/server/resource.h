// What the author of a resource or a resource template writes, and what its handler is handed.
#ifndef MCP_SESSION_SERVER_RESOURCE_H_
#define MCP_SESSION_SERVER_RESOURCE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/server/asking_call.h"
#include "mcp_session/server/content.h"

namespace mcp_session {

// How long a stateless client may keep what it read (spec F-11). By default not at all.
struct CachePolicy {
  Millis ttl{};         // 0 or more
  bool shared = false;  // the same for every caller, whoever is logged in
};

// A resource has a URI, with its scheme, and a name; all else is optional.
struct Resource {
  std::string uri;
  std::string name;
  std::string title;
  std::string description;
  std::string mime_type;
  std::optional<std::int64_t> size;  // in bytes
  Json annotations;                  // null: none; {"audience":..., "priority":...}
  Json icons;                        // null: none; an array of {"src":...} (spec F-14)
  Json meta;                         // null: none; _meta
  CachePolicy cache;
};

// Resources of one form. {name} in it stands for text without / ? and #; {+name}, which may only
// be the last variable, for any text (RFC 6570, level 2).
struct ResourceTemplate {
  std::string uri_template;
  std::string name;
  std::string title;
  std::string description;
  std::string mime_type;
  Json annotations;
  Json icons;
  Json meta;
  CachePolicy cache;
};

struct ResourceResult {
  Json contents = EmptyArray();  // pieces of content.h; none is an error

  static ResourceResult Text(std::string text);
  static ResourceResult Blob(std::string_view bytes);
};

// One resources/read.
class ResourceCall : public AskingCall {
 public:
  const std::string& uri() const;
  // Of a template: what the variable stands for in this URI, decoded and never empty; it may hold
  // anything, so a path made of it needs a check (spec F-15). Empty if there is no such variable.
  std::string Variable(std::string_view name) const;

  // Ends the call; only the first Reply counts. kNotFound: there is no such resource. The client
  // reads the message of any other error.
  void Reply(Result<ResourceResult> result);

 private:
  friend class Resources;
  struct State;
  explicit ResourceCall(std::shared_ptr<HandlerCall::State> state);
  State& own() const;
};

// Answers by call.Reply, now or later.
using ResourceHandler = std::function<void(ResourceCall call)>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_RESOURCE_H_
