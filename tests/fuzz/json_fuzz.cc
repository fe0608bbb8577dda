// JSON: what is read is written back as what it was.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/message.h"

using namespace mcp_session;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Result<Json> value = ParseJson(text);
  if (!value) return 0;
  std::string written;
  MCPS_CHECK(AppendJson(*value, &written));
  const Result<Json> again = ParseJson(written);
  MCPS_CHECK(again && *again == *value);
  std::string twice;
  MCPS_CHECK(AppendJson(*again, &twice) && twice == written);
  (void)DecodeMessage(std::move(*value));  // whatever it says of it
  return 0;
}
