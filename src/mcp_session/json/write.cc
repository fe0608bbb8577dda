#include "mcp_session/json/write.h"

#include <cmath>

#include "mcp_session/base/decimal.h"
#include "mcp_session/json/number.h"
#include "mcp_session/json/utf8.h"

namespace mcp_session {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool Plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

void AppendEscape(char c, std::string* out) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      *out += "\\u00";
      *out += kHex[static_cast<unsigned char>(c) >> 4];
      *out += kHex[c & 15];
  }
}

bool AppendString(std::string_view text, std::string* out) {
  *out += '"';
  for (std::size_t at = 0;;) {
    const std::size_t start = at;
    while (at < text.size()) {
      const bool ascii = static_cast<unsigned char>(text[at]) < 0x80;
      if (ascii && !Plain(text[at])) break;
      const std::size_t length = ascii ? 1 : Utf8Length(text, at);
      if (length == 0) return false;
      at += length;
    }
    out->append(text, start, at - start);
    if (at == text.size()) break;
    AppendEscape(text[at++], out);
  }
  *out += '"';
  return true;
}

bool Append(const Json& value, std::string* out) {
  switch (value.type()) {
    case Json::value_t::object: {
      char before = '{';
      for (const auto& member : *value.get_ptr<const Json::object_t*>()) {
        *out += before;
        before = ',';
        if (!AppendString(member.first, out)) return false;
        *out += ':';
        if (!Append(member.second, out)) return false;
      }
      *out += before == '{' ? "{}" : "}";
      return true;
    }
    case Json::value_t::array: {
      char before = '[';
      for (const Json& element : *value.get_ptr<const Json::array_t*>()) {
        *out += before;
        before = ',';
        if (!Append(element, out)) return false;
      }
      *out += before == '[' ? "[]" : "]";
      return true;
    }
    case Json::value_t::string:
      return AppendString(*value.get_ptr<const std::string*>(), out);
    case Json::value_t::boolean:
      *out += *value.get_ptr<const bool*>() ? "true" : "false";
      return true;
    case Json::value_t::number_integer:
      AppendInteger(*value.get_ptr<const Json::number_integer_t*>(), out);
      return true;
    case Json::value_t::number_unsigned:
      AppendDecimal(*value.get_ptr<const Json::number_unsigned_t*>(), out);
      return true;
    case Json::value_t::number_float: {
      const double number = *value.get_ptr<const Json::number_float_t*>();
      if (!std::isfinite(number)) return false;
      AppendDouble(number, out);
      return true;
    }
    case Json::value_t::null:
      *out += "null";
      return true;
    case Json::value_t::binary:
    case Json::value_t::discarded:
      return false;
  }
  return false;
}

}  // namespace

bool AppendJson(const Json& value, std::string* out) {
  const std::size_t before = out->size();
  if (Append(value, out)) return true;
  out->resize(before);
  return false;
}

bool AppendJsonString(std::string_view text, std::string* out) {
  const std::size_t before = out->size();
  if (AppendString(text, out)) return true;
  out->resize(before);
  return false;
}

void AppendInteger(std::int64_t value, std::string* out) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value < 0) *out += '-';
  AppendDecimal(value < 0 ? 0 - bits : bits, out);
}

}  // namespace mcp_session
