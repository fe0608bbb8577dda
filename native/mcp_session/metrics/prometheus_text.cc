#include "mcp_session/metrics/prometheus_text.h"

#include <charconv>
#include <cmath>

namespace mcp_session {
namespace {

void AppendEscaped(std::string_view text, bool quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\n') {
      *out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) *out += '\\';
    *out += c;
  }
}

}  // namespace

std::string PrometheusNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

void PrometheusText::Family(std::string_view name, std::string_view type, std::string_view help) {
  text_.append("# HELP ").append(name) += ' ';
  AppendEscaped(help, false, &text_);
  text_.append("\n# TYPE ").append(name).append(" ").append(type) += '\n';
}

void PrometheusText::Sample(std::string_view name, const PrometheusLabels& labels, double value) {
  Line(name, labels, PrometheusNumber(value));
}

void PrometheusText::Sample(std::string_view name, const PrometheusLabels& labels,
                            std::uint64_t value) {
  Line(name, labels, std::to_string(value));
}

void PrometheusText::Line(std::string_view name, const PrometheusLabels& labels,
                          std::string_view value) {
  text_ += name;
  char before = '{';
  for (const auto& [label, content] : labels) {
    text_ += before;
    before = ',';
    text_.append(label) += "=\"";
    AppendEscaped(content, true, &text_);
    text_ += '"';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
  text_.append(value) += '\n';
}

}  // namespace mcp_session
