// Requests on a connection: however the bytes are cut, they are the same requests, and a reader
// that refuses them has a status for it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/http/request_reader.h"

using namespace mcp_session;

namespace {

constexpr ReadLimits kLimits{.max_head_bytes = 512, .max_body_bytes = 64};

// All that a reader says.
std::string ReadAll(std::string_view bytes, std::size_t piece) {
  RequestReader reader(kLimits);
  std::string said;
  while (!bytes.empty()) {
    const std::span<char> room = reader.Prepare();
    const std::size_t n = std::min({room.size(), piece, bytes.size()});
    MCPS_CHECK(n > 0);
    std::memcpy(room.data(), bytes.data(), n);
    reader.Commit(n);
    bytes.remove_prefix(n);
    for (;;) {
      const RequestReader::Progress progress = reader.Read();
      if (progress == RequestReader::Progress::kNeedMore) break;
      if (progress == RequestReader::Progress::kHeadRead) continue;
      if (progress == RequestReader::Progress::kFailed) {
        MCPS_CHECK(reader.failure_status() >= 400 && reader.failure_status() < 600);
        return said + "failed " + std::to_string(reader.failure_status());
      }
      said += std::string(reader.method()) + ' ' + std::string(reader.target());
      said += reader.keep_alive() ? " keep" : " close";
      for (std::size_t i = 0; i < reader.header_count(); ++i) {
        said += '[' + std::string(reader.header_name(i)) + '=';
        said += std::string(reader.header_value(i)) + ']';
      }
      MCPS_CHECK(reader.body().size() <= kLimits.max_body_bytes);
      said += std::string(reader.body()) + '\n';
      reader.Next();
    }
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // With the end of a head behind it: before that, a head that came in one piece may be refused
  // already, and one that came in many is waited for.
  const std::string bytes = std::string(reinterpret_cast<const char*>(data), size) + "\r\n\r\n";
  MCPS_CHECK(ReadAll(bytes, bytes.size()) == ReadAll(bytes, 1));
  return 0;
}
