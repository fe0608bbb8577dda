// URLs, and what a server says relative to its own: nothing of another origin comes of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/http_client/url.h"

using namespace mcp_session;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = ParseHttpUrl(text)) {
    MCPS_CHECK(!url->host.empty() && !url->port.empty() && url->target.starts_with('/'));
    MCPS_CHECK(url->authority.find('@') == std::string::npos);
    (void)IsLoopback(*url);
  }
  for (const char* base : {"http://host/a/sse?x=1", "https://[::1]:8443"}) {
    const auto found = ResolveInOrigin(base, text);
    if (!found) continue;
    const auto url = ParseHttpUrl(*found);
    MCPS_CHECK(url && OriginOf(*url) == OriginOf(*ParseHttpUrl(base)));
  }
  return 0;
}
