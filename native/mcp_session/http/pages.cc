#include "mcp_session/http/pages.h"

#include <charconv>
#include <cstdint>
#include <utility>

namespace mcp_session {
namespace {

// FNV-1a: tells versions of our own files apart, nothing more.
std::string Etag(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, hash, 16).ptr;
  return '"' + std::string(digits, end) + '"';
}

}  // namespace

Pages::Pages(const std::vector<HttpPage>& pages, const std::string& content_security_policy) {
  for (const HttpPage& page : pages) {
    Page entry{page.bytes, Etag(page.bytes), {}};
    entry.headers = {
        {"content-type", page.content_type},
        {"cache-control", "no-cache"},  // kept, but asked for again each time
        {"etag", entry.etag},
        {"content-security-policy", content_security_policy},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
    };
    pages_.insert_or_assign(page.path, std::move(entry));
  }
}

const Pages::Page* Pages::Find(std::string_view path) const {
  const auto found = pages_.find(std::string(path));
  return found == pages_.end() ? nullptr : &found->second;
}

bool MatchesEtag(std::string_view if_none_match, std::string_view etag) {
  if (if_none_match == "*") return true;
  // Every etag of ours ends with its quote, so one of them is in the list or it is not.
  return if_none_match.find(etag) != std::string_view::npos;
}

}  // namespace mcp_session
