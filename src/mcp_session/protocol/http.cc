#include "mcp_session/protocol/http.h"

#include <algorithm>

#include "mcp_session/base/base64.h"

namespace mcp_session {
namespace {

constexpr std::array<std::string_view, kHeaderCount> kHeaderNames = {
    "Accept", "Content-Type",         "Host",          "Last-Event-ID", "Mcp-Method", "Mcp-Name",
    "Origin", "MCP-Protocol-Version", "Mcp-Session-Id"};
constexpr std::string_view kParamPrefix = "Mcp-Param-";
constexpr std::string_view kEncodedPrefix = "=?base64?";
constexpr std::string_view kEncodedSuffix = "?=";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

HttpMethod ToMethod(std::string_view method) {
  if (method == "POST") return HttpMethod::kPost;
  if (method == "GET") return HttpMethod::kGet;
  if (method == "DELETE") return HttpMethod::kDelete;
  return HttpMethod::kOther;
}

// The next piece of a comma-separated list, without its parameters.
std::string_view NextMediaType(std::string_view* list) {
  const std::size_t comma = list->find(',');
  std::string_view piece = list->substr(0, comma);
  list->remove_prefix(comma == std::string_view::npos ? list->size() : comma + 1);
  return Trim(piece.substr(0, piece.find(';')));
}

bool Accepts(std::string_view accept, std::string_view type, std::string_view all_of_its_kind) {
  while (!accept.empty()) {
    const std::string_view piece = NextMediaType(&accept);
    if (piece == "*/*" || EqualIgnoringCase(piece, type) ||
        EqualIgnoringCase(piece, all_of_its_kind)) {
      return true;
    }
  }
  return false;
}

bool AcceptsJson(std::string_view accept) {
  return Accepts(accept, "application/json", "application/*");
}

// "localhost:8808" without the port; an IPv6 address keeps its brackets. What follows the last
// colon is no port if it is no number: "localhost:x@evil.example" is somebody else's.
std::string_view WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool number =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? host.substr(0, colon) : host;
}

bool HostListed(const HostPolicy& policy, std::string_view host) {
  return std::any_of(policy.hosts.begin(), policy.hosts.end(), [&](const std::string& listed) {
    return EqualIgnoringCase(host, listed) || EqualIgnoringCase(WithoutPort(host), listed);
  });
}

bool OriginAdmitted(const HostPolicy& policy, std::string_view origin) {
  for (const std::string& listed : policy.origins) {
    if (listed == "*" || EqualIgnoringCase(origin, listed)) return true;
  }
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && HostListed(policy, origin.substr(scheme + 3));
}

bool IsPlainValue(std::string_view text) {
  if (!text.empty() && (IsBlank(text.front()) || IsBlank(text.back()))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

bool LooksEncoded(std::string_view value) {
  return value.size() >= kEncodedPrefix.size() + kEncodedSuffix.size() &&
         value.substr(0, kEncodedPrefix.size()) == kEncodedPrefix &&
         value.substr(value.size() - kEncodedSuffix.size()) == kEncodedSuffix;
}

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

bool IsHeaderName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string_view HeaderName(Header header) {
  return kHeaderNames[static_cast<std::size_t>(header)];
}

HttpRequest::HttpRequest(std::string_view method, std::string_view body)
    : method_(ToMethod(method)), body_(body) {}

void HttpRequest::AddHeader(std::string_view name, std::string_view value) {
  for (std::size_t i = 0; i < kHeaderCount; ++i) {
    if (!EqualIgnoringCase(name, kHeaderNames[i])) continue;
    const auto bit = static_cast<std::uint16_t>(1u << i);
    if ((present_ & bit) != 0) {
      if (static_cast<Header>(i) == Header::kAccept) {
        more_accept_.push_back(Trim(value));
      } else {
        ambiguous_ = true;
      }
      return;
    }
    present_ = static_cast<std::uint16_t>(present_ | bit);
    values_[i] = Trim(value);
    return;
  }
  if (name.size() > kParamPrefix.size() &&
      EqualIgnoringCase(name.substr(0, kParamPrefix.size()), kParamPrefix)) {
    params_.emplace_back(name.substr(kParamPrefix.size()), Trim(value));
  }
}

std::optional<std::string_view> HttpRequest::Find(Header header) const {
  const auto i = static_cast<std::size_t>(header);
  if ((present_ & (1u << i)) == 0) return std::nullopt;
  return values_[i];
}

HostPolicy LoopbackHosts() { return HostPolicy{{"localhost", "127.0.0.1", "[::1]"}, {}}; }

bool Admits(const HostPolicy& policy, const HttpRequest& request) {
  const auto host = request.Find(Header::kHost);
  if (host && !policy.hosts.empty() && !HostListed(policy, *host)) return false;
  const auto origin = request.Find(Header::kOrigin);
  if (!origin || OriginAdmitted(policy, *origin)) return true;
  // Whoever answers to any host admits the page that it served itself.
  if (!policy.hosts.empty() || !host) return false;
  const std::size_t scheme = origin->find("://");
  return scheme != std::string_view::npos && EqualIgnoringCase(origin->substr(scheme + 3), *host);
}

bool AcceptsEvents(std::string_view accept) {
  return Accepts(accept, "text/event-stream", "text/*");
}

bool AcceptsJsonAndEvents(std::string_view accept) {
  return AcceptsJson(accept) && AcceptsEvents(accept);
}

bool AcceptsJsonAndEvents(const HttpRequest& request) {
  const std::string_view first = request.Find(Header::kAccept).value_or("");
  bool json = AcceptsJson(first);
  bool events = AcceptsEvents(first);
  for (const std::string_view line : request.more_accept()) {
    json = json || AcceptsJson(line);
    events = events || AcceptsEvents(line);
  }
  return json && events;
}

bool IsJson(std::string_view content_type) {
  return EqualIgnoringCase(Trim(content_type.substr(0, content_type.find(';'))),
                           "application/json");
}

bool IsSessionId(std::string_view text) {
  return !text.empty() && text.size() <= 256 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
}

std::string EncodeHeaderValue(std::string_view text) {
  if (IsPlainValue(text) && !LooksEncoded(text)) return std::string(text);
  std::string value(kEncodedPrefix);
  value += EncodeBase64(text);
  value += kEncodedSuffix;
  return value;
}

Result<std::string> DecodeHeaderValue(std::string_view value) {
  if (!LooksEncoded(value)) {
    if (!IsPlainValue(value)) {
      return Failure(ErrorCode::kHeaderMismatch, Blame::kPeer, "a header has bytes it may not");
    }
    return std::string(value);
  }
  value.remove_prefix(kEncodedPrefix.size());
  value.remove_suffix(kEncodedSuffix.size());
  if (auto text = DecodeBase64(value)) return std::move(*text);
  return Failure(ErrorCode::kHeaderMismatch, Blame::kPeer, "a header is not well-formed base64");
}

}  // namespace mcp_session
