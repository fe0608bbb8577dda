#include "mcp_session/server/content.h"

#include <utility>

#include "mcp_session/base/base64.h"

namespace mcp_session {
namespace {

Json Media(const char* type, std::string_view bytes, std::string mime_type) {
  Json block = EmptyObject();
  block["type"] = type;
  block["data"] = EncodeBase64(bytes);
  block["mimeType"] = std::move(mime_type);
  return block;
}

Json Contents(std::string uri, std::string mime_type) {
  Json contents = EmptyObject();
  if (!uri.empty()) contents["uri"] = std::move(uri);
  if (!mime_type.empty()) contents["mimeType"] = std::move(mime_type);
  return contents;
}

}  // namespace

Json TextContent(std::string text) {
  Json block = EmptyObject();
  block["type"] = "text";
  block["text"] = std::move(text);
  return block;
}

Json ImageContent(std::string_view bytes, std::string mime_type) {
  return Media("image", bytes, std::move(mime_type));
}

Json AudioContent(std::string_view bytes, std::string mime_type) {
  return Media("audio", bytes, std::move(mime_type));
}

Json EmbeddedResource(Json contents) {
  Json block = EmptyObject();
  block["type"] = "resource";
  block["resource"] = std::move(contents);
  return block;
}

Json ResourceLink(std::string uri, std::string name) {
  Json block = EmptyObject();
  block["type"] = "resource_link";
  block["uri"] = std::move(uri);
  block["name"] = std::move(name);
  return block;
}

Json TextContents(std::string text, std::string uri, std::string mime_type) {
  Json contents = Contents(std::move(uri), std::move(mime_type));
  contents["text"] = std::move(text);
  return contents;
}

Json BlobContents(std::string_view bytes, std::string uri, std::string mime_type) {
  Json contents = Contents(std::move(uri), std::move(mime_type));
  contents["blob"] = EncodeBase64(bytes);
  return contents;
}

Json ModelMessage(std::string_view role, Json content) {
  Json message = EmptyObject();
  message["role"] = role;
  message["content"] = std::move(content);
  return message;
}

}  // namespace mcp_session
