// PrometheusText: metrics as Prometheus reads them, text format 0.0.4.
#ifndef MCP_SESSION_METRICS_PROMETHEUS_TEXT_H_
#define MCP_SESSION_METRICS_PROMETHEUS_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mcp_session {

using PrometheusLabels = std::vector<std::pair<std::string_view, std::string_view>>;

class PrometheusText {
 public:
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // Starts a metric: samples that follow are of it. `type` is "counter", "gauge" or "histogram".
  void Family(std::string_view name, std::string_view type, std::string_view help);

  // A sample; `name` is the family's, with _bucket, _sum or _count at its end in a histogram.
  void Sample(std::string_view name, const PrometheusLabels& labels, double value);
  void Sample(std::string_view name, const PrometheusLabels& labels, std::uint64_t value);

  const std::string& text() const { return text_; }

 private:
  void Line(std::string_view name, const PrometheusLabels& labels, std::string_view value);
  std::string text_;
};

// A number as labels and samples have it: the shortest decimal that reads back the same.
std::string PrometheusNumber(double value);

}  // namespace mcp_session

#endif  // MCP_SESSION_METRICS_PROMETHEUS_TEXT_H_
