#include "mcp_session/client/result_cache.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

constexpr Millis kLongestTtl = Hours(24);

}  // namespace

bool ResultCache::IsStaleAfter(const client_effect::Notified& notified, std::string_view method,
                               std::string_view uri) {
  std::string_view what = notified.method;
  constexpr std::string_view kPrefix = "notifications/";
  if (!what.starts_with(kPrefix)) return false;
  what.remove_prefix(kPrefix.size());
  if (what == "resources/updated") {
    const std::string updated = StringOrEmpty(notified.params, "uri");
    return method == "resources/read" && (uri.starts_with(updated) || updated.starts_with(uri));
  }
  // notifications/resources/list_changed is about lists of resources, of templates, and about what
  // they hold.
  const std::string_view kind = what.substr(0, what.find('/'));
  return what.substr(kind.size()) == "/list_changed" && method.substr(0, method.find('/')) == kind;
}

const Json* ResultCache::Find(std::string_view method, std::string_view uri, Instant now) const {
  for (const Entry& entry : entries_) {
    if (entry.method == method && entry.uri == uri && now < entry.fresh_until) {
      return &entry.result;
    }
  }
  return nullptr;
}

void ResultCache::Keep(std::string_view method, std::string_view uri, const Json& result,
                       Instant now) {
  Forget(method, uri);
  const auto ttl = FindInteger(result, "ttlMs");
  if (!ttl || *ttl <= 0) return;
  std::string text;
  if (!AppendJson(result, &text)) return;
  const std::size_t bytes = text.size() + uri.size();
  if (bytes > kMaxBytes) return;
  while (entries_.size() >= kMaxEntries || bytes_ + bytes > kMaxBytes) {
    const auto first = std::min_element(
        entries_.begin(), entries_.end(),
        [](const Entry& a, const Entry& b) { return a.fresh_until < b.fresh_until; });
    Erase(static_cast<std::size_t>(first - entries_.begin()));
  }
  bytes_ += bytes;
  entries_.push_back({std::string(method), std::string(uri), result,
                      now + Millis{std::min(*ttl, kLongestTtl.count)}, bytes});
}

void ResultCache::Forget(std::string_view method, std::string_view uri) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].method == method && entries_[i].uri == uri) Erase(i);
  }
}

void ResultCache::Forget(const client_effect::Notified& notified) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (IsStaleAfter(notified, entries_[i].method, entries_[i].uri)) Erase(i);
  }
}

void ResultCache::Clear() {
  entries_.clear();
  bytes_ = 0;
}

void ResultCache::Erase(std::size_t index) {
  bytes_ -= entries_[index].bytes;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

}  // namespace mcp_session
