#include "mcp_session/redis/options.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxPrefixBytes = 64;
constexpr std::size_t kMaxRecordBytes = 64u << 20;
constexpr std::size_t kMaxPathBytes = 107;

bool IsPrefix(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPrefixBytes &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             ":._-") == std::string_view::npos;
}

bool IsTimeout(Millis length) { return length > Millis{} && length <= Minutes(10); }

tl::unexpected<Error> Refuse(std::string what) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "redis: " + std::move(what));
}

}  // namespace

std::string RedisAddress::Text() const {
  if (!path.empty()) return "unix:" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<void> CheckRedisOptions(const RedisOptions& options) {
  if (options.endpoints.empty()) return Refuse("no endpoint");
  for (const RedisAddress& address : options.endpoints) {
    if (address.path.empty() && (address.host.empty() || address.port == 0)) {
      return Refuse("an endpoint without host or port");
    }
    if (address.path.size() > kMaxPathBytes) return Refuse("the path of the socket is too long");
    if (!address.path.empty() && options.layout != RedisLayout::kStandalone) {
      return Refuse("sentinels and clusters are not behind a Unix socket");
    }
    if (!address.path.empty() && options.tls.enabled) return Refuse("no TLS on a Unix socket");
  }
  if (options.layout == RedisLayout::kSentinel && options.master_name.empty()) {
    return Refuse("the sentinels need the name of the master");
  }
  if (options.database < 0) return Refuse("no such database");
  if (options.layout == RedisLayout::kCluster && options.database != 0) {
    return Refuse("a cluster has no other database than 0");
  }
  if (options.password.empty() && !options.user.empty()) return Refuse("a user without password");
  if (options.tls.certificate_file.empty() != options.tls.key_file.empty()) {
    return Refuse("a certificate needs its key");
  }
  if (!IsPrefix(options.prefix)) return Refuse("the prefix is not 1 to 64 of A-Za-z0-9:._-");
  if (!IsTimeout(options.connect_timeout) || !IsTimeout(options.command_timeout)) {
    return Refuse("a timeout out of range");
  }
  if (options.max_in_flight == 0 || options.max_records_per_owner == 0 ||
      options.max_record_bytes == 0 || options.max_record_bytes > kMaxRecordBytes) {
    return Refuse("a limit out of range");
  }
  return {};
}

}  // namespace mcp_session
