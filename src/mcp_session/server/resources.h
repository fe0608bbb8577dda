// The resources of a server: resources/list, resources/templates/list and resources/read. Private
// to this folder.
#ifndef MCP_SESSION_SERVER_RESOURCES_H_
#define MCP_SESSION_SERVER_RESOURCES_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/resource.h"
#include "mcp_session/server/uri_template.h"

namespace mcp_session {

// A resource, or the resources of one form.
struct ReadableResource {
  std::string uri;                  // or the template as it was written
  std::optional<UriTemplate> form;  // of a template
  std::string mime_type;
  CachePolicy cache;
  ResourceHandler handler;
};

class Resources final : public Feature {
 public:
  static constexpr Name kName = Name::kResources;
  static constexpr std::string_view kCapability = "\"resources\":{}";
  static constexpr std::string_view kChangingCapability =
      "\"resources\":{\"subscribe\":true,\"listChanged\":true}";
  explicit Resources(McpServer::State& server) : Feature(kName), server_(server) {}

  Result<void> Register(Resource resource, ResourceHandler handler);
  Result<void> Register(ResourceTemplate resource, ResourceHandler handler);
  // False if there is none of this URI, or no template that was written so.
  bool Remove(std::string_view uri);
  // Null if there is none that was written so.
  const UriTemplate* FindTemplate(std::string_view uri_template) const;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void RunAgain(const Running& call) override;

 private:
  using Readable = std::shared_ptr<const ReadableResource>;

  Result<void> Keep(ReadableResource readable, std::string_view name, const Json& described,
                    std::vector<std::string>* listed);
  Readable Find(std::string_view uri, Json* variables) const;
  void Read(Call call);
  void Run(const Running& call);
  void TellMissing(CallId id, Era era, const std::string& uri);

  McpServer::State& server_;
  std::vector<Readable> resources_;  // of both kinds
  std::vector<std::string> listed_;  // each as JSON text
  std::vector<std::string> listed_templates_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_RESOURCES_H_
