#include "mcp_session/http/response.h"

#include <boost/beast/http/status.hpp>
#include <charconv>
#include <cstddef>

#include "mcp_session/base/error.h"
#include "mcp_session/http/cors.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

void AppendNumber(std::size_t number, int base, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  out->append(digits, end);
}

void AppendHead(int status, const ResponseHeaders& headers, const ResponseForm& form,
                std::string* out) {
  if (status == 200) {
    *out += "HTTP/1.1 200 OK\r\n";
  } else {
    const auto reason =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    *out += "HTTP/1.1 ";
    AppendNumber(static_cast<std::size_t>(status), 10, out);
    *out += ' ';
    out->append(reason.data(), reason.size());
    *out += "\r\n";
  }
  for (const auto& [name, value] : headers) {
    *out += name;
    *out += ": ";
    *out += value;
    *out += "\r\n";
  }
  AppendCorsLines(form.origin, out);
  if (!form.keep_alive) {
    *out += "connection: close\r\n";
  } else if (form.http_1_0) {
    *out += "connection: keep-alive\r\n";
  }
}

}  // namespace

void AppendResponse(int status, const ResponseHeaders& headers, std::string_view body,
                    const ResponseForm& form, std::string* out) {
  AppendHead(status, headers, form, out);
  if (status != 204 && status != 304) {  // those have no body, and no length of one
    *out += "content-length: ";
    AppendNumber(body.size(), 10, out);
    *out += "\r\n";
  }
  *out += "\r\n";
  if (!form.head_only) *out += body;
}

void AppendStreamHead(int status, const ResponseHeaders& headers, const ResponseForm& form,
                      std::string* out) {
  AppendHead(status, headers, form, out);
  if (!form.http_1_0) *out += "transfer-encoding: chunked\r\n";
  *out += "\r\n";
}

void AppendChunk(std::string_view bytes, const ResponseForm& form, std::string* out) {
  if (bytes.empty() || form.head_only) return;  // an empty chunk would be the last one
  if (form.http_1_0) {
    *out += bytes;
    return;
  }
  AppendNumber(bytes.size(), 16, out);
  *out += "\r\n";
  *out += bytes;
  *out += "\r\n";
}

void AppendStreamEnd(const ResponseForm& form, std::string* out) {
  if (!form.http_1_0 && !form.head_only) *out += "0\r\n\r\n";
}

std::string RefusalBody(int status, std::string_view message) {
  // What MCP has a number of its own for gets it, the rest the one for refusals by HTTP.
  const ErrorCode code = status == HttpStatus(ErrorCode::kTooLarge)   ? ErrorCode::kTooLarge
                         : status == HttpStatus(ErrorCode::kCapacity) ? ErrorCode::kCapacity
                                                                      : ErrorCode::kBadHeader;
  std::string body = R"({"jsonrpc":"2.0","error":{"code":)";
  AppendInteger(JsonRpcNumber(code), &body);
  body += R"(,"message":")";
  body += message;
  body += "\"}}";
  return body;
}

}  // namespace mcp_session
