#include "mcp_session/http_client/url.h"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <charconv>
#include <cstdint>

namespace mcp_session {
namespace {

constexpr std::size_t kMaxUrlBytes = 2048;

}  // namespace

std::optional<HttpUrl> ParseHttpUrl(std::string_view text) {
  HttpUrl url;
  if (text.size() > kMaxUrlBytes) return std::nullopt;
  for (const char c : text) {
    if (c <= ' ' || c > '~') return std::nullopt;
  }
  if (text.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  text = text.substr(0, text.find('#'));
  const std::size_t slash = text.find_first_of("/?");
  std::string_view authority = text.substr(0, slash);
  url.target = slash == std::string_view::npos ? "/" : text.substr(slash);
  if (url.target.starts_with('?')) url.target.insert(0, "/");
  url.authority = authority;
  std::string_view port = url.tls ? "443" : "80";
  const std::size_t colon =
      authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  if (colon != std::string_view::npos) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) return std::nullopt;
  if (authority.empty() || authority.find_first_of("@[]") != std::string_view::npos) {
    return std::nullopt;
  }
  url.host = authority;
  url.port = port;
  return url;
}

std::string OriginOf(const HttpUrl& url) {
  std::string origin = url.tls ? "https://" : "http://";
  for (const char c : url.host) {
    origin += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return origin + ':' + url.port;
}

std::optional<std::string> ResolveInOrigin(std::string_view base, std::string_view reference) {
  const std::optional<HttpUrl> from = ParseHttpUrl(base);
  if (!from || reference.empty() || reference.size() > kMaxUrlBytes) return std::nullopt;
  const std::string_view path = std::string_view(from->target).substr(0, from->target.find('?'));
  const std::string scheme = from->tls ? "https:" : "http:";
  std::string url = scheme + "//" + from->authority;
  if (reference.starts_with("//")) {
    url = scheme + std::string(reference);
  } else if (reference.starts_with('/')) {
    url += reference;
  } else if (reference.starts_with('?')) {
    url += std::string(path) + std::string(reference);
  } else if (reference.find(':') < reference.find_first_of("/?")) {
    url = reference;  // it has a scheme
  } else {
    url += std::string(path.substr(0, path.rfind('/') + 1)) + std::string(reference);
  }
  const std::optional<HttpUrl> to = ParseHttpUrl(url);
  if (!to || OriginOf(*to) != OriginOf(*from)) return std::nullopt;
  return url;
}

bool IsLoopback(const HttpUrl& url) {
  boost::system::error_code error;
  const boost::asio::ip::address address = boost::asio::ip::make_address(url.host, error);
  return error ? url.host == "localhost" : address.is_loopback();
}

}  // namespace mcp_session
