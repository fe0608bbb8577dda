// The files that an HttpServer serves beside its endpoint, with the headers they go out with.
#ifndef MCP_SESSION_HTTP_PAGES_H_
#define MCP_SESSION_HTTP_PAGES_H_

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcp_session/http/server.h"
#include "mcp_session/session/effect.h"

namespace mcp_session {

class Pages {
 public:
  Pages(const std::vector<HttpPage>& pages, const std::string& content_security_policy);

  struct Page {
    std::string_view bytes;
    std::string etag;
    ResponseHeaders headers;
  };
  // Null if there is none at this path.
  const Page* Find(std::string_view path) const;

 private:
  std::unordered_map<std::string, Page> pages_;
};

// Whether an If-None-Match header names this version of a page.
bool MatchesEtag(std::string_view if_none_match, std::string_view etag);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_PAGES_H_
