#include "mcp_session/protocol/sse.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/decimal.h"

namespace mcp_session {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Every event repeats the id in force, so a long one would cost its length again for each event
// of a few bytes. No header could carry it back either.
constexpr std::size_t kMaxIdBytes = 1024;

bool EndsLine(char c) { return c == '\n' || c == '\r'; }

// Takes the text before the next line break off `text`, and the break with it.
std::string_view TakeLine(std::string_view* text) {
  const auto end =
      static_cast<std::size_t>(std::find_if(text->begin(), text->end(), EndsLine) - text->begin());
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(std::min(text->size(), text->substr(end, 2) == "\r\n" ? end + 2 : end + 1));
  return line;
}

}  // namespace

void AppendSseEvent(std::string_view id, std::string_view data, std::string* out) {
  if (!id.empty()) {
    *out += "id: ";
    *out += id;
    *out += '\n';
  }
  for (bool more = true; more;) {
    const bool has_break = std::find_if(data.begin(), data.end(), EndsLine) != data.end();
    const std::string_view line = TakeLine(&data);
    *out += line.empty() ? "data:" : "data: ";
    *out += line;
    *out += '\n';
    more = has_break;
  }
  *out += '\n';
}

void AppendSseComment(std::string_view text, std::string* out) {
  *out += ": ";
  *out += text;
  *out += "\n\n";
}

Result<bool> SseReader::Read(std::string_view bytes, std::vector<SseEvent>* events) {
  const std::size_t before = events->size();
  while (!bytes.empty() && !failed_) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = static_cast<std::size_t>(std::find_if(bytes.begin(), bytes.end(), EndsLine) -
                                              bytes.begin());
    const std::string_view piece = bytes.substr(0, end);
    // What is kept of earlier lines is never more than they were, so this bounds the memory.
    const std::size_t kept =
        type_.size() + (data_ ? data_->size() : 0) + (id_ ? id_->size() : 0) + line_.size();
    if (piece.size() > max_event_bytes_ || kept > max_event_bytes_ - piece.size()) {
      failed_ = true;
      break;
    }
    if (end == bytes.size()) {
      line_ += piece;
      break;
    }
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      Line(piece, events);
    } else {
      line_ += piece;
      Line(line_, events);
      line_.clear();
    }
  }
  if (failed_) {
    line_ = std::string();
    type_ = std::string();
    data_.reset();
    id_.reset();
    return Failure(ErrorCode::kTooLarge, Blame::kPeer, "an event of the stream is too large");
  }
  return events->size() > before;
}

void SseReader::Line(std::string_view line, std::vector<SseEvent>* events) {
  if (std::exchange(at_start_, false) && line.substr(0, 3) == kByteOrderMark) {
    line.remove_prefix(3);
  }
  if (line.empty()) return EndEvent(events);
  const std::size_t colon = line.find(':');
  if (colon == 0) return;  // a comment
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(colon == std::string_view::npos ? line.size() : colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "data") {
    if (data_) {
      *data_ += '\n';
      *data_ += value;
    } else {
      data_ = value;
    }
  } else if (field == "event") {
    type_ = value;
  } else if (field == "id") {
    if (value.size() <= kMaxIdBytes && value.find('\0') == std::string_view::npos) id_ = value;
  } else if (field == "retry") {
    if (const auto retry = ParseDecimal(value)) retry_ = retry;
  }
}

void SseReader::EndEvent(std::vector<SseEvent>* events) {
  std::string type = std::exchange(type_, {});
  if (!data_ && !id_) return;
  if (id_) last_event_id_ = std::move(*id_);
  if (type.empty()) type = "message";
  events->push_back({std::move(type), data_ ? std::move(*data_) : std::string(), last_event_id_});
  data_.reset();
  id_.reset();
}

}  // namespace mcp_session
