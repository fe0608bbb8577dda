#include "mcp_session/http/access.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

constexpr std::string_view kWellKnown = "/.well-known/oauth-protected-resource";

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

void AppendList(std::string_view name, const std::vector<std::string>& texts, std::string* out) {
  out->append(",\"").append(name).append("\":[");
  for (const std::string& text : texts) {
    if (out->back() != '[') *out += ',';
    MCPS_CHECK(AppendJsonString(text, out));  // ASCII, see Complaint
  }
  *out += ']';
}

// Of a URL: up to its path, and the path, "/" left out if there is nothing else.
std::pair<std::string, std::string> Split(const std::string& url) {
  const std::size_t path = url.find('/', url.find("://") + 3);
  if (path == std::string::npos || path + 1 == url.size()) return {url.substr(0, path), {}};
  return {url.substr(0, path), url.substr(path)};
}

// What may stand between quotes in a header as it is.
bool IsPlain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

bool IsUrl(std::string_view text) {
  const bool scheme = text.starts_with("https://") || text.starts_with("http://");
  return scheme && IsPlain(text) && text.find_first_of("?#") == std::string_view::npos &&
         text.size() > text.find("://") + 3;
}

}  // namespace

Access::Access(const HttpServerOptions& options, const std::string& listening)
    : required_scopes_(options.auth.required_scopes) {
  if (options.auth.authorization_servers.empty()) return;
  const std::string& resource = options.auth.resource.empty() ? listening : options.auth.resource;
  const auto [origin, path] = Split(resource);
  const std::string well_known(kWellKnown);
  metadata_url_ = origin + well_known + path;
  metadata_paths_ = {well_known, well_known + path, well_known + options.endpoint};
  metadata_ = "{\"resource\":";
  MCPS_CHECK(AppendJsonString(resource, &metadata_));
  AppendList("authorization_servers", options.auth.authorization_servers, &metadata_);
  if (!required_scopes_.empty()) AppendList("scopes_supported", required_scopes_, &metadata_);
  AppendList("bearer_methods_supported", {"header"}, &metadata_);
  metadata_ += '}';
}

std::string Access::Challenge(Reason reason) const {
  std::string challenge = "Bearer";
  const auto add = [&](std::string_view name, std::string_view value) {
    challenge += challenge.size() == 6 ? " " : ", ";
    challenge.append(name).append("=\"").append(value) += '"';
  };
  if (reason == Reason::kInvalidToken) add("error", "invalid_token");
  if (reason == Reason::kInsufficientScope) add("error", "insufficient_scope");
  if (!required_scopes_.empty()) add("scope", Joined(required_scopes_));
  if (!metadata_url_.empty()) add("resource_metadata", metadata_url_);
  return challenge;
}

bool Access::Suffice(const std::vector<std::string>& scopes) const {
  return std::all_of(required_scopes_.begin(), required_scopes_.end(), [&](const auto& required) {
    return std::find(scopes.begin(), scopes.end(), required) != scopes.end();
  });
}

const std::string* Access::Metadata(std::string_view path) const {
  const bool found =
      std::find(metadata_paths_.begin(), metadata_paths_.end(), path) != metadata_paths_.end();
  return found ? &metadata_ : nullptr;
}

std::string_view Complaint(const HttpAuthOptions& options) {
  if (!options.resource.empty() && !IsUrl(options.resource)) {
    return "the resource is no URL that starts with https:// or http://";
  }
  const auto& servers = options.authorization_servers;
  if (!std::all_of(servers.begin(), servers.end(), IsUrl)) {
    return "an authorization server is no URL that starts with https:// or http://";
  }
  const auto& scopes = options.required_scopes;
  if (!std::all_of(scopes.begin(), scopes.end(), IsPlain)) return "a scope is malformed";
  return {};
}

}  // namespace mcp_session
