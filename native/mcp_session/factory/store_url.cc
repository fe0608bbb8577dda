#include "mcp_session/factory/store_url.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace mcp_session {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr int kMaxDatabase = 9999;

tl::unexpected<Error> Malformed(std::string what) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, std::move(what));
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text, Number minimum, Number maximum) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < minimum || value > maximum) {
    return std::nullopt;
  }
  return value;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// Takes "user:password@" off the front of `rest`, if it is there.
Result<void> TakeLogin(std::string_view* rest, StoreUrl* url) {
  const std::string_view authority = rest->substr(0, rest->find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return {};
  const std::string_view login = authority.substr(0, at);
  const std::size_t colon = login.find(':');
  const auto user = PercentDecode(login.substr(0, colon));
  const auto password =
      colon == std::string_view::npos ? std::string() : PercentDecode(login.substr(colon + 1));
  if (!user || !password) return Malformed("the user or password has a malformed % escape");
  url->user = *user;
  url->password = *password;
  rest->remove_prefix(at + 1);
  return {};
}

Result<void> TakeHostAndPort(std::string_view authority, StoreUrl* url) {
  std::string_view host = authority;
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return Malformed("the host lacks its closing bracket");
    host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return Malformed("the host is malformed");
    if (has_port) port = rest.substr(1);
  } else if (const std::size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    has_port = true;
    if (host.find(':') != std::string_view::npos) {
      return Malformed("an IPv6 address goes into brackets");
    }
  }
  const bool plausible = std::all_of(host.begin(), host.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '[' && c != ']';
  });
  if (host.empty() || !plausible) return Malformed("the host is missing or malformed");
  url->host = host;
  url->port = kRedisPort;
  if (!has_port) return {};
  const auto number = ParseNumber<std::uint16_t>(port, 1, 65535);
  if (!number) return Malformed("the port must be from 1 to 65535");
  url->port = *number;
  return {};
}

Result<void> SetDatabase(std::string_view text, StoreUrl* url) {
  const auto database = ParseNumber<int>(text, 0, kMaxDatabase);
  if (!database) return Malformed("the database must be a number from 0 to 9999");
  url->database = *database;
  return {};
}

Result<StoreUrl> ParseTcp(std::string_view rest, StoreUrl url) {
  if (auto login = TakeLogin(&rest, &url); !login) return tl::unexpected(login.error());
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return Malformed("this kind of URL takes no ? or #");
  }
  if (auto host = TakeHostAndPort(authority, &url); !host) return tl::unexpected(host.error());
  if (slash == std::string_view::npos || slash + 1 == rest.size()) return url;
  if (auto set = SetDatabase(rest.substr(slash + 1), &url); !set) {
    return tl::unexpected(set.error());
  }
  return url;
}

Result<StoreUrl> ParseUnix(std::string_view rest, StoreUrl url) {
  if (auto login = TakeLogin(&rest, &url); !login) return tl::unexpected(login.error());
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    const std::string_view query = rest.substr(question + 1);
    if (!query.starts_with("db=")) return Malformed("after the ? only db=NUMBER is known");
    if (auto set = SetDatabase(query.substr(3), &url); !set) return tl::unexpected(set.error());
  }
  const auto path = PercentDecode(rest.substr(0, question));
  if (!path || !path->starts_with('/') || path->size() < 2) {
    return Malformed("the socket's path must be absolute: unix:///run/redis.sock");
  }
  url.path = *path;
  return url;
}

Result<StoreUrl> ParseFile(std::string_view rest, StoreUrl url) {
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (!rest.starts_with('/')) {
      return Malformed("file: takes a path, file:// an absolute one: file:///var/lib/x.db");
    }
  }
  const auto path = PercentDecode(rest);
  if (!path || path->empty() || path->ends_with('/')) return Malformed("the file has no name");
  url.path = *path;
  return url;
}

}  // namespace

Result<StoreUrl> ParseStoreUrl(std::string_view text) {
  if (text == "memory" || text == "memory:") return StoreUrl{};
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  StoreUrl url;
  if (colon != std::string_view::npos && scheme == "file") {
    url.scheme = StoreScheme::kFile;
    return ParseFile(rest, std::move(url));
  }
  const bool tcp = scheme == "redis" || scheme == "rediss";
  if (colon == std::string_view::npos || (!tcp && scheme != "unix")) {
    return Malformed(
        "a store is memory, or a URL that begins with redis:, rediss:, unix: or file:");
  }
  if (!rest.starts_with("//")) {
    return Malformed("there must be // after " + std::string(scheme) + ":");
  }
  url.scheme = !tcp                 ? StoreScheme::kRedisUnix
               : scheme == "rediss" ? StoreScheme::kRedisTls
                                    : StoreScheme::kRedis;
  return tcp ? ParseTcp(rest.substr(2), std::move(url)) : ParseUnix(rest.substr(2), std::move(url));
}

}  // namespace mcp_session
