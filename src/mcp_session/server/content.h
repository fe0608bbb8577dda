// The pieces that tools, prompts and resources answer with.
#ifndef MCP_SESSION_SERVER_CONTENT_H_
#define MCP_SESSION_SERVER_CONTENT_H_

#include <string>
#include <string_view>

#include "mcp_session/json/json.h"

namespace mcp_session {

// Content blocks, for ToolResult::content and the messages of a prompt (spec F-05). `bytes` are
// the image or sound itself; they travel as base64.
Json TextContent(std::string text);
Json ImageContent(std::string_view bytes, std::string mime_type);
Json AudioContent(std::string_view bytes, std::string mime_type);
// A resource that goes along; `contents` is of TextContents or BlobContents.
Json EmbeddedResource(Json contents);
// One that the client may read (revisions from 2025-06-18).
Json ResourceLink(std::string uri, std::string name);

// A message of a conversation with a model; `role` is user or assistant. Of prompts and of
// sampling.
Json ModelMessage(std::string_view role, Json content);

// What a resource holds. In the answer of a resource's own handler the uri may be empty, and so
// may the type: the server knows them.
Json TextContents(std::string text, std::string uri = {}, std::string mime_type = {});
Json BlobContents(std::string_view bytes, std::string uri = {}, std::string mime_type = {});

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CONTENT_H_
