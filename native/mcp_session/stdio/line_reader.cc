#include "mcp_session/stdio/line_reader.h"

#include <algorithm>
#include <utility>

namespace mcp_session {

std::optional<LineReader::Line> LineReader::Next(std::string_view* bytes) {
  if (std::exchange(returned_, false)) std::string().swap(held_);
  while (!bytes->empty()) {
    const std::size_t end = bytes->find('\n');
    const bool ends = end != std::string_view::npos;
    std::string_view piece = bytes->substr(0, end);
    bytes->remove_prefix(ends ? end + 1 : bytes->size());
    if (skipping_) {
      skipping_ = !ends;
      continue;
    }
    // One byte more than allowed may be the CR of the line's end.
    if (held_.size() + piece.size() > max_line_bytes_ + 1) {
      skipping_ = !ends;
      returned_ = true;
      return Line{{}, true};
    }
    if (!ends) {
      held_ += piece;
      return std::nullopt;
    }
    if (held_.empty()) return Finish(piece);
    held_ += piece;
    returned_ = true;
    return Finish(held_);
  }
  return std::nullopt;
}

std::optional<LineReader::Line> LineReader::Last() {
  if (std::exchange(returned_, false)) std::string().swap(held_);
  skipping_ = false;
  if (held_.empty()) return std::nullopt;
  returned_ = true;
  return Finish(held_);
}

std::optional<LineReader::Line> LineReader::Finish(std::string_view text) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.size() > max_line_bytes_) return Line{{}, true};
  return Line{text, false};
}

}  // namespace mcp_session
