// Server-sent events, both directions (the WHATWG text/event-stream format).
#ifndef MCP_SESSION_PROTOCOL_SSE_H_
#define MCP_SESSION_PROTOCOL_SSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"

namespace mcp_session {

// Appends one event whose data is `data`. JSON text never holds a raw line break; other text may,
// and becomes several data lines. An empty `id` is left out; it holds no line break and no NUL.
void AppendSseEvent(std::string_view id, std::string_view data, std::string* out);

// Appends a comment line, which readers skip: it keeps a quiet stream from being cut.
void AppendSseComment(std::string_view text, std::string* out);

struct SseEvent {
  std::string type = "message";
  std::string data;
  std::string last_event_id;  // the id in force when the event ended, its own or an earlier one
  bool operator==(const SseEvent&) const = default;
};

// Reads a stream as it arrives, in pieces of any size: the events are the same however it is cut.
class SseReader {
 public:
  explicit SseReader(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}

  // Appends the events that `bytes` completes; true if there were any. kTooLarge once what is kept
  // of an unfinished event, with the line being read, grows past the limit; after that the reader
  // is done and answers the same again.
  // Events with empty data are delivered too: a priming event carries only an id (spec H-46). An
  // id with a NUL or beyond 1 KiB is ignored.
  Result<bool> Read(std::string_view bytes, std::vector<SseEvent>* events);

  // The last `retry` field, in milliseconds (spec H-48).
  std::optional<std::int64_t> retry() const { return retry_; }
  const std::string& last_event_id() const { return last_event_id_; }

 private:
  void Line(std::string_view line, std::vector<SseEvent>* events);
  void EndEvent(std::vector<SseEvent>* events);

  std::size_t max_event_bytes_;
  std::string line_;  // what there is of a line that has not ended
  // The fields of the event that has not ended.
  std::string type_;
  std::optional<std::string> data_;
  std::optional<std::string> id_;
  bool after_return_ = false;  // the last byte was CR: an LF now belongs to it
  bool at_start_ = true;       // a byte order mark may still come
  bool failed_ = false;
  std::string last_event_id_;
  std::optional<std::int64_t> retry_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_SSE_H_
