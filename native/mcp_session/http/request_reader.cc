#include "mcp_session/http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace mcp_session {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kFirstBuffer = 4096;
constexpr std::size_t kKeptBuffer = 64u << 10;  // more is given back after a request
constexpr std::size_t kMinRoom = 1024;
constexpr std::size_t kShortestChunkEnd = std::string_view("0\r\n\r\n").size();

std::string_view ToStd(beast::string_view text) { return {text.data(), text.size()}; }

// Names of headers and values that are tokens: without regard to case. `lower` is lower case.
bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

// Beast's parser keeps nothing of what it parsed; its callbacks note here where it was.
class RequestReader::Parser {
 public:
  explicit Parser(RequestReader* reader) : reader_(reader) {}

  void Restart() {
    inner_.emplace(reader_);
    inner_->header_limit(static_cast<std::uint32_t>(reader_->limits_.max_head_bytes));
    inner_->body_limit(reader_->limits_.max_body_bytes);
  }

  std::size_t Put(const char* data, std::size_t size, beast::error_code& error) {
    return inner_->put(boost::asio::const_buffer(data, size), error);
  }
  bool head_done() const { return inner_->is_header_done(); }
  bool done() const { return inner_->is_done(); }
  bool chunked() const { return inner_->chunked(); }
  bool keep_alive() const { return inner_->keep_alive(); }
  std::size_t content_length() const {
    const auto length = inner_->content_length();
    return length ? static_cast<std::size_t>(*length) : 0;
  }

 private:
  class Inner final : public http::basic_parser<true> {
   public:
    explicit Inner(RequestReader* reader) : reader_(reader) {}

   private:
    void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                         int version, beast::error_code&) override {
      reader_->method_ = reader_->SpanOf(ToStd(method));
      reader_->target_ = reader_->SpanOf(ToStd(target));
      reader_->http_1_0_ = version < 11;
    }
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                       beast::error_code& error) override;
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, beast::error_code&) override {
      return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                   beast::error_code&) override {
      reader_->chunked_body_.append(body.data(), body.size());
      return body.size();
    }
    void on_finish_impl(beast::error_code&) override {}

    RequestReader* reader_;
  };

  RequestReader* reader_;
  std::optional<Inner> inner_;
};

void RequestReader::Parser::Inner::on_field_impl(http::field field, beast::string_view name,
                                                 beast::string_view value,
                                                 beast::error_code& error) {
  if (reader_->head_done_) return;  // a trailer: nobody reads those
  const char* begin = reader_->data_.get() + reader_->begin_;
  const char* end = reader_->data_.get() + reader_->end_;
  // A folded value is no view of what arrived. Nobody sends them but to confuse (RFC 9112, 5.2).
  // An empty value may be a view of nothing at all.
  const bool folded = !value.empty() && (value.data() < begin || value.data() >= end);
  const Span name_span = reader_->SpanOf(ToStd(name));
  const Span value_span = value.empty() ? Span{} : reader_->SpanOf(ToStd(value));
  if (folded) {
    error = http::error::bad_obs_fold;
    return;
  }
  const auto refuse = [&](int status, std::string_view message) {
    reader_->Fail(status, message);
    error = http::error::bad_value;
  };
  if (field == http::field::host) {
    reader_->has_host_ = true;
  } else if (field == http::field::transfer_encoding) {
    // Another coding than this one would leave open where the body ends.
    if (!EqualsIgnoringCase(ToStd(value), "chunked") || reader_->http_1_0_) {
      return refuse(501, "the only transfer coding here is chunked, in HTTP/1.1");
    }
  } else if (field == http::field::expect) {
    if (!EqualsIgnoringCase(ToStd(value), "100-continue")) {
      return refuse(417, "the only expectation here is 100-continue");
    }
    reader_->expects_continue_ = !reader_->http_1_0_;
  }
  reader_->headers_.push_back({name_span.at, name_span.size, value_span.at, value_span.size});
}

RequestReader::RequestReader(const ReadLimits& limits)
    : limits_(limits), parser_(std::make_unique<Parser>(this)) {
  ResetRequest();
}

RequestReader::~RequestReader() = default;

RequestReader::Span RequestReader::SpanOf(std::string_view text) const {
  return {static_cast<std::uint32_t>(text.data() - (data_.get() + begin_)),
          static_cast<std::uint32_t>(text.size())};
}

std::string_view RequestReader::body() const {
  if (chunked_) return chunked_body_;
  return {data_.get() + begin_ + head_size_, body_size_};
}

std::string_view RequestReader::FindHeader(std::string_view name) const {
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    if (EqualsIgnoringCase(header_name(i), name)) return header_value(i);
  }
  return {};
}

std::span<char> RequestReader::Prepare() {
  std::size_t wanted = kMinRoom;
  if (head_done_ && !chunked_) {
    // No more than doubles at a time: memory is taken for what came, not for what was announced.
    const std::size_t missing = head_size_ + body_size_ - std::min(size(), head_size_ + body_size_);
    wanted = std::clamp(missing, kMinRoom, std::max(capacity_, kFirstBuffer));
  }
  if (capacity_ - end_ < wanted) Grow(wanted);
  lent_ = end_;
  is_lent_ = true;
  return {data_.get() + end_, capacity_ - end_};
}

void RequestReader::Grow(std::size_t wanted) {
  const std::size_t held = size();
  if (capacity_ >= held + wanted && begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, held);
  } else {
    const std::size_t capacity = std::max({kFirstBuffer, held + wanted, 2 * held});
    auto data = std::make_unique_for_overwrite<char[]>(capacity);
    if (held > 0) std::memcpy(data.get(), data_.get() + begin_, held);
    data_ = std::move(data);
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = held;
}

void RequestReader::Commit(std::size_t bytes) {
  // The end may have moved back meanwhile, never forward.
  if (lent_ != end_ && bytes > 0) std::memmove(data_.get() + end_, data_.get() + lent_, bytes);
  end_ += bytes;
  is_lent_ = false;
}

RequestReader::Progress RequestReader::Read() {
  if (failed_) return Progress::kFailed;
  if (!head_done_) return ReadHead();
  return chunked_ ? ReadChunks() : ReadBody();
}

RequestReader::Progress RequestReader::ReadHead() {
  // Empty lines before a request are to be ignored (RFC 9112, 2.2).
  while (parsed_ == 0 && begin_ < end_ && (data_[begin_] == '\r' || data_[begin_] == '\n')) {
    ++begin_;
  }
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t held = size();
  if (held == parsed_) return Progress::kNeedMore;
  beast::error_code error;
  parsed_ += parser_->Put(data_.get() + begin_ + parsed_, held - parsed_, error);
  const bool done = !error && parser_->head_done();
  if (failed_) return Progress::kFailed;  // a header did that
  if (error == http::error::header_limit || (done ? parsed_ : held) > limits_.max_head_bytes) {
    return Fail(431, "the request's headers are too large");
  }
  if (error == http::error::body_limit) return Fail(413, "the request's body is too large");
  if (error && error != http::error::need_more) return Fail(400, "this is no HTTP/1.1 request");
  if (!done) return Progress::kNeedMore;
  if (!AcceptHead()) return Progress::kFailed;
  const Progress progress = chunked_ ? ReadChunks() : ReadBody();
  return progress == Progress::kNeedMore ? Progress::kHeadRead : progress;
}

bool RequestReader::AcceptHead() {
  head_done_ = true;
  head_size_ = parsed_;
  chunked_ = parser_->chunked();
  keep_alive_ = parser_->keep_alive();
  body_size_ = chunked_ ? 0 : parser_->content_length();
  if (!has_host_ && !http_1_0_) {
    Fail(400, "the request has no Host header");
    return false;
  }
  const std::string_view whole = target();
  if (whole.starts_with("http://") || whole.starts_with("https://")) {
    const std::size_t path = whole.find('/', whole.find("//") + 2);
    if (path == std::string_view::npos) {
      Fail(400, "the request's target has no path");
      return false;
    }
    target_.at += static_cast<std::uint32_t>(path);
    target_.size -= static_cast<std::uint32_t>(path);
  }
  return true;
}

RequestReader::Progress RequestReader::ReadBody() {
  return size() >= head_size_ + body_size_ ? Progress::kComplete : Progress::kNeedMore;
}

RequestReader::Progress RequestReader::ReadChunks() {
  const std::size_t first = begin_ + head_size_;
  std::size_t at = first;
  beast::error_code error;
  // Fewer bytes than that cannot be the end, and Beast 1.81 asserts that it is not given them.
  while (!parser_->done() && end_ - at >= kShortestChunkEnd) {
    at += parser_->Put(data_.get() + at, end_ - at, error);
    if (error) break;
  }
  // What the parser has consumed goes; what follows moves up behind the head.
  const std::size_t rest = end_ - at;
  if (at > first && rest > 0) std::memmove(data_.get() + first, data_.get() + at, rest);
  end_ = first + rest;
  if (error == http::error::body_limit) return Fail(413, "the request's body is too large");
  if (error && error != http::error::need_more) return Fail(400, "malformed chunked body");
  if (parser_->done()) return Progress::kComplete;
  if (rest > limits_.max_head_bytes) return Fail(431, "the request's trailers are too large");
  return Progress::kNeedMore;
}

RequestReader::Progress RequestReader::Fail(int status, std::string_view message) {
  failed_ = true;
  keep_alive_ = false;
  failure_status_ = status;
  failure_message_ = message;
  return Progress::kFailed;
}

void RequestReader::Next() {
  begin_ += head_size_ + body_size_;  // a chunked body is not in there any more
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kKeptBuffer && !is_lent_) {
      data_.reset();
      capacity_ = 0;
    }
  }
  if (chunked_body_.capacity() > kKeptBuffer) std::string().swap(chunked_body_);
  ResetRequest();
}

void RequestReader::ResetRequest() {
  parser_->Restart();
  parsed_ = head_size_ = body_size_ = 0;
  head_done_ = chunked_ = false;
  http_1_0_ = keep_alive_ = expects_continue_ = has_host_ = false;
  method_ = target_ = {};
  headers_.clear();
  chunked_body_.clear();
}

}  // namespace mcp_session
