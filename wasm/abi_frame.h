// Frames, the one shape of everything that crosses the ABI (abi.h, convention 5), and the output
// they go to. Private to the ABI.
#ifndef MCP_SESSION_WASM_ABI_FRAME_H_
#define MCP_SESSION_WASM_ABI_FRAME_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "wasm/abi.h"

namespace mcp_session::abi {

// An input frame; its fields point into the input.
struct Frame {
  std::uint32_t kind = 0;
  std::int32_t number = 0;
  std::uint64_t id = 0;
  std::vector<std::string_view> fields;  // one without data is absent

  bool Has(std::size_t index) const {
    return index < fields.size() && fields[index].data() != nullptr;
  }
  // The field, or empty if there is none.
  std::string_view Text(std::size_t index) const { return Has(index) ? fields[index] : ""; }
  // A field of 8 bytes; nullopt if there is none or it has another size.
  std::optional<double> Number(std::size_t index) const;
};

// The kinds of frame one may send and how many fields they have; the first `least` are present.
struct FrameRule {
  std::uint8_t kind;
  std::uint8_t least;
  std::uint8_t most;
};
inline constexpr std::uint8_t kAnyNumber = 255;

// Exactly one frame. kInvalidArgument: a length beyond the end, bytes after it, or no rule for it.
Result<Frame> ReadFrame(std::string_view bytes, std::span<const FrameRule> rules);

// The module's one output (abi.h, convention 4).
std::string& Output();
// What every call that makes output does first. Gives memory back after a large one.
void ClearOutput();

// Appends one frame to the output, field by field. One at a time.
class FrameWriter {
 public:
  explicit FrameWriter(std::uint32_t kind, std::uint64_t id = 0, std::int32_t number = 0);
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  FrameWriter& Add(std::string_view bytes);
  FrameWriter& AddAbsent();
  FrameWriter& AddNumber(double value);
  // What has no JSON form, which nothing read from JSON is, becomes null.
  FrameWriter& AddJson(const Json& value);
  template <typename Headers>
  FrameWriter& AddHeaders(const Headers& headers) {
    for (const auto& [name, value] : headers) Add(name).Add(value);
    return *this;
  }

 private:
  void AddLength(std::uint32_t length);

  std::size_t count_at_;
};

// Appends MCPS_ERROR; 1, the return value of a call that failed.
int WriteError(const Error& error);

// The host's clock (convention 7).
class Clock {
 public:
  Instant At(double now);

 private:
  Instant latest_{};
};
// The return value of a _deadline function.
double DeadlineOf(Instant deadline);

// mcps_entropy.
Entropy& HostEntropy();

}  // namespace mcp_session::abi

#endif  // MCP_SESSION_WASM_ABI_FRAME_H_
