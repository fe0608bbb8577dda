#include "mcp_session/session/event_id.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxPart = 64;

// Whether it can stand between two dots.
bool IsPart(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPart &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

std::optional<RequestId> ParseRequest(std::string_view text) {
  const std::string_view id = text.substr(1);
  if (text[0] == 's' && IsPart(id)) return RequestId(std::string(id));
  if (text[0] != 'i') return std::nullopt;
  const auto number = ParseDecimal(id);
  return number ? std::optional<RequestId>(*number) : std::nullopt;
}

}  // namespace

std::string EncodeEventId(const EventId& id) {
  std::string text = id.stream + ".";
  AppendInteger(static_cast<std::int64_t>(id.sequence), &text);
  if (!id.request) return text;
  if (const auto* number = std::get_if<std::int64_t>(&*id.request)) {
    if (*number < 0) return text;
    text += ".i";
    AppendInteger(*number, &text);
  } else if (const auto& name = std::get<std::string>(*id.request); IsPart(name)) {
    text += ".s";
    text += name;
  }
  return text;
}

std::optional<EventId> ParseEventId(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || !IsPart(text.substr(0, dot))) return std::nullopt;
  EventId id{std::string(text.substr(0, dot)), 0, std::nullopt};
  text.remove_prefix(dot + 1);
  const std::size_t second = std::min(text.find('.'), text.size());
  const auto sequence = ParseDecimal(text.substr(0, second));
  if (!sequence) return std::nullopt;
  id.sequence = static_cast<std::uint64_t>(*sequence);
  if (second == text.size()) return id;
  if (second + 2 > text.size()) return std::nullopt;
  id.request = ParseRequest(text.substr(second + 1));
  if (!id.request) return std::nullopt;
  return id;
}

}  // namespace mcp_session
