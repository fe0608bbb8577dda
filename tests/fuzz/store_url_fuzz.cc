// URLs of stores: refused without repeating a password, or understood, and shown without it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/factory/store_url.h"

using namespace mcp_session;

namespace {

constexpr std::string_view kPassword = "s3cret-Passw0rd";

bool Tells(std::string_view text) { return text.find(kPassword) != std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Result<StoreUrl> url = ParseStoreUrl(text);
  if (!url) {
    MCPS_CHECK(url.error().code == ErrorCode::kInvalidArgument);
    MCPS_CHECK(!Tells(url.error().message));
    return 0;
  }
  // Unless it is also, say, the name of a host.
  const bool is_once = text.find(kPassword) == text.rfind(kPassword);
  if (is_once && Tells(url->password)) MCPS_CHECK(!Tells(PlaceOf(*url)));
  MCPS_CHECK(!url->is_redis() || !url->hosts.empty() || !url->path.empty());
  return 0;
}
