// RequestReader: the bytes of one connection, as requests. Owns the buffer the bytes arrive in;
// knows no socket and no clock, so tests feed it byte by byte.
//
// The bytes of a request stay where they arrived until Next(), and method(), target(), headers
// and body() are views of them; only the body of a chunked request is put together elsewhere.
// Boost.Beast's parser does the parsing of heads and chunks. What it is lenient about and a server
// behind a proxy must not be (request smuggling) is refused here.
#ifndef MCP_SESSION_HTTP_REQUEST_READER_H_
#define MCP_SESSION_HTTP_REQUEST_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {

struct ReadLimits {
  std::size_t max_head_bytes = 16u << 10;  // request line and headers; chunk framing too
  std::size_t max_body_bytes = 4u << 20;   // without chunk framing
};

class RequestReader {
 public:
  explicit RequestReader(const ReadLimits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Room for bytes that arrive, at least one; it stays where it is until the next Prepare, whatever
  // else is called meanwhile. Then Commit how many there are.
  std::span<char> Prepare();
  void Commit(std::size_t bytes);

  enum class Progress : std::uint8_t {
    kNeedMore,  // nothing new can be said
    kHeadRead,  // said once, when the head is there and the body is not: all but body() is valid
    kComplete,  // a whole request; valid until Next()
    kFailed,    // see failure_status(); the connection is of no further use
  };
  Progress Read();

  // Drops the request that was read; bytes of a next one stay.
  void Next();

  std::string_view method() const { return View(method_); }
  // As it came, but of an absolute-form target only the part from the path on.
  std::string_view target() const { return View(target_); }
  bool http_1_0() const { return http_1_0_; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }
  std::string_view body() const;

  struct HeaderSpan {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::size_t header_count() const { return headers_.size(); }
  std::string_view header_name(std::size_t i) const {
    return View({headers_[i].name_at, headers_[i].name_size});
  }
  std::string_view header_value(std::size_t i) const {
    return View({headers_[i].value_at, headers_[i].value_size});
  }

  // The value of a header, or nothing; `name` in lower case. The first, if it came twice.
  std::string_view FindHeader(std::string_view name) const;

  // Why reading failed: an HTTP status and a sentence.
  int failure_status() const { return failure_status_; }
  std::string_view failure_message() const { return failure_message_; }

  // Whether no byte of a request is here.
  bool empty() const { return begin_ == end_; }
  // Whether the head of the current request is still incomplete.
  bool in_head() const { return !head_done_; }
  // Bytes held, of this request and of those behind it.
  std::size_t size() const { return end_ - begin_; }
  // Memory taken by buffers, in bytes.
  std::size_t capacity() const { return capacity_ + chunked_body_.capacity(); }

 private:
  class Parser;
  struct Span {
    std::uint32_t at = 0, size = 0;
  };
  std::string_view View(Span span) const { return {data_.get() + begin_ + span.at, span.size}; }
  Span SpanOf(std::string_view text) const;

  Progress ReadHead();
  Progress ReadBody();
  Progress ReadChunks();
  Progress Fail(int status, std::string_view message);
  // A head has been parsed: is it one that this server takes?
  bool AcceptHead();
  void ResetRequest();
  void Grow(std::size_t wanted);

  const ReadLimits limits_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  // of the current request
  std::size_t end_ = 0;    // of what arrived
  std::size_t lent_ = 0;   // where the room is that Prepare gave
  bool is_lent_ = false;   // and nothing was committed since

  std::unique_ptr<Parser> parser_;
  std::size_t parsed_ = 0;     // bytes of the request the parser has consumed and we keep
  std::size_t head_size_ = 0;  // once head_done_
  std::size_t body_size_ = 0;  // by Content-Length
  bool head_done_ = false;
  bool chunked_ = false;
  bool failed_ = false;
  std::string chunked_body_;

  Span method_;
  Span target_;
  std::vector<HeaderSpan> headers_;
  bool http_1_0_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
  bool has_host_ = false;
  int failure_status_ = 0;
  std::string_view failure_message_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_REQUEST_READER_H_
