// Lines of a peer on a pipe: however the bytes are cut, they are the same lines, and none is longer
// than allowed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/check.h"
#include "mcp_session/stdio/line_reader.h"

using namespace mcp_session;

namespace {

constexpr std::size_t kMaxLineBytes = 32;

void Add(const LineReader::Line& line, std::string* all) {
  MCPS_CHECK(line.text.size() <= kMaxLineBytes);
  MCPS_CHECK(line.text.find('\n') == std::string_view::npos);
  *all += line.too_long ? "too long" : std::string(line.text);
  *all += '\n';
}

std::string ReadAll(std::string_view bytes, std::size_t piece) {
  LineReader reader(kMaxLineBytes);
  std::string all;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    std::string_view unread = bytes.substr(0, piece);
    while (const auto line = reader.Next(&unread)) Add(*line, &all);
    MCPS_CHECK(unread.empty());
  }
  if (const auto line = reader.Last()) Add(*line, &all);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = ReadAll(bytes, size);
  MCPS_CHECK(whole == ReadAll(bytes, 1));
  MCPS_CHECK(whole == ReadAll(bytes, 3));
  return 0;
}
