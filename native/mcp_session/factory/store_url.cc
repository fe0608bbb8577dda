#include "mcp_session/factory/store_url.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "mcp_session/base/percent.h"

namespace mcp_session {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::size_t kMaxHosts = 32;
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

// No part of a URL means anything with a NUL in it.
std::optional<std::string> Decode(std::string_view text) {
  std::optional<std::string> decoded = PercentDecode(text);
  return decoded && decoded->find('\0') == std::string::npos ? decoded : std::nullopt;
}

// Takes "user:password@" off the front of `rest`, if it is there.
Result<void> TakeLogin(std::string_view* rest, StoreUrl* url) {
  const std::string_view authority = rest->substr(0, rest->find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return {};
  const std::string_view login = authority.substr(0, at);
  const std::size_t colon = login.find(':');
  const auto user = Decode(login.substr(0, colon));
  const auto password =
      colon == std::string_view::npos ? std::string() : Decode(login.substr(colon + 1));
  if (!user || !password) return Malformed("the user or password has a malformed % escape");
  url->user = *user;
  url->password = *password;
  rest->remove_prefix(at + 1);
  return {};
}

Result<StoreHost> ParseHost(std::string_view authority, std::uint16_t default_port) {
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
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '[' && c != ']' && c != ',';
  });
  if (host.empty() || !plausible) return Malformed("the host is missing or malformed");
  if (!has_port) return StoreHost{std::string(host), default_port};
  const auto number = ParseNumber<std::uint16_t>(port, 1, 65535);
  if (!number) return Malformed("the port must be from 1 to 65535");
  return StoreHost{std::string(host), *number};
}

// "host:port,host:port".
Result<void> TakeHosts(std::string_view authority, std::uint16_t default_port, StoreUrl* url) {
  for (;;) {
    const std::size_t comma = authority.find(',');
    MCPS_TRY(StoreHost host, ParseHost(authority.substr(0, comma), default_port));
    url->hosts.push_back(std::move(host));
    if (url->hosts.size() > kMaxHosts) return Malformed("there are more than 32 hosts");
    if (comma == std::string_view::npos) return {};
    authority.remove_prefix(comma + 1);
  }
}

Result<void> SetDatabase(std::string_view text, StoreUrl* url) {
  const auto database = ParseNumber<int>(text, 0, kMaxDatabase);
  if (!database) return Malformed("the database must be a number from 0 to 9999");
  url->database = *database;
  return {};
}

// "?name=value&name=value", without the '?'.
Result<void> SetQuery(std::string_view query, StoreUrl* url) {
  while (!query.empty()) {
    const std::string_view option = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), option.size() + 1));
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    const auto value = equals == std::string_view::npos ? std::optional<std::string>()
                                                        : Decode(option.substr(equals + 1));
    if (!value || value->empty()) return Malformed("an option after the ? has no proper value");
    std::string* field = nullptr;
    if (name == "prefix") field = &url->prefix;
    if (name == "ca" && url->tls) field = &url->ca_file;
    if (name == "cert" && url->tls) field = &url->certificate_file;
    if (name == "key" && url->tls) field = &url->key_file;
    const bool sentinel = url->scheme == StoreScheme::kRedisSentinel;
    if (name == "sentinel_user" && sentinel) field = &url->sentinel_user;
    if (name == "sentinel_password" && sentinel) field = &url->sentinel_password;
    if (name == "db" && url->scheme == StoreScheme::kRedisUnix) {
      if (auto set = SetDatabase(*value, url); !set) return set;
    } else if (field == nullptr) {
      return Malformed(
          "after the ? only prefix is known, with TLS ca, cert and key, for unix: db, and for "
          "sentinels sentinel_user and sentinel_password");
    } else {
      *field = *value;
    }
  }
  if (url->certificate_file.empty() != url->key_file.empty()) {
    return Malformed("cert and key are given together");
  }
  if (url->sentinel_password.empty() && !url->sentinel_user.empty()) {
    return Malformed("sentinel_user needs sentinel_password");
  }
  return {};
}

// "host:port/..." of one server, of sentinels and of clusters.
Result<void> SetPlace(std::string_view place, StoreUrl* url) {
  const std::size_t slash = place.find('/');
  const std::string_view authority = place.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? "" : place.substr(slash + 1);
  if (url->scheme == StoreScheme::kRedis) {
    MCPS_TRY(StoreHost host, ParseHost(authority, kRedisPort));
    url->hosts.push_back(std::move(host));
  } else {
    const bool sentinel = url->scheme == StoreScheme::kRedisSentinel;
    const auto set = TakeHosts(authority, sentinel ? kSentinelPort : kRedisPort, url);
    if (!set) return set;
  }
  if (url->scheme == StoreScheme::kRedisSentinel) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    const auto decoded = Decode(name);
    if (!decoded || decoded->empty()) {
      return Malformed("after the sentinels there must be the name of the master: /mymaster");
    }
    url->master_name = *decoded;
  }
  if (path.empty()) return {};
  if (url->scheme == StoreScheme::kRedisCluster) return Malformed("a cluster has no databases");
  return SetDatabase(path, url);
}

Result<void> SetSocket(std::string_view place, StoreUrl* url) {
  const auto path = Decode(place);
  if (!path || !path->starts_with('/') || path->size() < 2) {
    return Malformed("the socket's path must be absolute: unix:///run/redis.sock");
  }
  url->path = *path;
  return {};
}

Result<StoreUrl> ParseRedis(std::string_view rest, StoreUrl url) {
  if (rest.find('#') != std::string_view::npos) {
    return Malformed("this kind of URL takes no #: write %23");
  }
  if (auto login = TakeLogin(&rest, &url); !login) return tl::unexpected(login.error());
  const std::size_t question = rest.find('?');
  const std::string_view place = rest.substr(0, question);
  const auto set =
      url.scheme == StoreScheme::kRedisUnix ? SetSocket(place, &url) : SetPlace(place, &url);
  if (!set) return tl::unexpected(set.error());
  if (question == std::string_view::npos) return url;
  if (auto query = SetQuery(rest.substr(question + 1), &url); !query) {
    return tl::unexpected(query.error());
  }
  return url;
}

Result<StoreUrl> ParseFile(std::string_view rest, StoreUrl url) {
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (!rest.starts_with('/')) {
      return Malformed("file: takes a path, file:// an absolute one: file:///var/lib/x.db");
    }
  }
  const std::size_t question = rest.find('?');
  const auto path = Decode(rest.substr(0, question));
  if (!path || path->empty() || path->ends_with('/')) return Malformed("the file has no name");
  url.path = *path;
  if (question == std::string_view::npos) return url;
  constexpr std::string_view kName = "synchronous=";
  const std::string_view option = rest.substr(question + 1);
  const std::string_view value = option.substr(std::min(option.size(), kName.size()));
  if (!option.starts_with(kName) || (value != "full" && value != "normal" && value != "off")) {
    return Malformed(
        "after the ? of a file there is synchronous=full, normal or off; in its name write %3F");
  }
  url.synchronous = value;
  return url;
}

struct Scheme {
  std::string_view name;
  StoreScheme scheme;
  bool tls;
};
constexpr Scheme kSchemes[] = {
    {"redis", StoreScheme::kRedis, false},
    {"rediss", StoreScheme::kRedis, true},
    {"unix", StoreScheme::kRedisUnix, false},
    {"redis+sentinel", StoreScheme::kRedisSentinel, false},
    {"rediss+sentinel", StoreScheme::kRedisSentinel, true},
    {"redis+cluster", StoreScheme::kRedisCluster, false},
    {"rediss+cluster", StoreScheme::kRedisCluster, true},
};

}  // namespace

Result<StoreUrl> ParseStoreUrl(std::string_view text) {
  if (text == "memory" || text == "memory:") return StoreUrl{};
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  StoreUrl url;
  if (colon != std::string_view::npos && name == "file") {
    url.scheme = StoreScheme::kFile;
    return ParseFile(rest, std::move(url));
  }
  const auto* known = std::find_if(std::begin(kSchemes), std::end(kSchemes),
                                   [&](const Scheme& scheme) { return scheme.name == name; });
  if (colon == std::string_view::npos || known == std::end(kSchemes)) {
    return Malformed(
        "a store is memory, or a URL that begins with redis:, rediss:, redis+sentinel:, "
        "redis+cluster:, unix: or file:");
  }
  if (!rest.starts_with("//")) {
    return Malformed("there must be // after " + std::string(name) + ":");
  }
  url.scheme = known->scheme;
  url.tls = known->tls;
  return ParseRedis(rest.substr(2), std::move(url));
}

std::string PlaceOf(const StoreUrl& url) {
  if (url.scheme == StoreScheme::kMemory) return "memory";
  if (url.scheme == StoreScheme::kFile) {
    return "file:" + url.path + (url.synchronous.empty() ? "" : "?synchronous=" + url.synchronous);
  }
  std::string place;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.scheme == url.scheme && scheme.tls == url.tls) place = scheme.name;
  }
  place += "://" + url.path;
  for (const StoreHost& host : url.hosts) {
    if (&host != &url.hosts.front()) place += ',';
    const bool v6 = host.host.find(':') != std::string::npos;
    place += (v6 ? '[' + host.host + ']' : host.host) + ':' + std::to_string(host.port);
  }
  if (!url.master_name.empty()) place += '/' + url.master_name;
  if (url.database != 0) {
    place += (url.path.empty() ? "/" : "?db=") + std::to_string(url.database);
  }
  return place;
}

}  // namespace mcp_session
