// LineReader: bytes as they arrive, as lines. Holds no more of a line than is allowed.
#ifndef MCP_SESSION_STDIO_LINE_READER_H_
#define MCP_SESSION_STDIO_LINE_READER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

class LineReader {
 public:
  explicit LineReader(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  struct Line {
    std::string_view text;  // without its end; valid until the next call
    bool too_long = false;  // then there is no text
  };
  // Takes bytes from the front of `bytes` up to the end of a line, or all of them. Lines end with
  // LF or CRLF. A line that is too long is reported once, as soon as that is certain.
  std::optional<Line> Next(std::string_view* bytes);

  // The input ended: what there is of a last line without an end.
  std::optional<Line> Last();

 private:
  std::optional<Line> Finish(std::string_view text);

  const std::size_t max_line_bytes_;
  std::string held_;       // the beginning of a line
  bool returned_ = false;  // the last line was a view of held_
  bool skipping_ = false;  // of a line that was too long
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STDIO_LINE_READER_H_
