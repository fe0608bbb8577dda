#include "wasm/abi_frame.h"

#include <cstring>
#include <limits>
#include <type_traits>

#include "mcp_session/json/write.h"

namespace mcp_session::abi {
namespace {

constexpr std::size_t kKeptOutput = 256u << 10;

// Both targets are little-endian, and so is the wire.
template <typename T>
void Append(T value, std::string* out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out->append(bytes, sizeof bytes);
}

// Takes a value off the front of `bytes`; false if there is not enough of it.
template <typename T>
bool Take(std::string_view* bytes, T* value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes->size() < sizeof *value) return false;
  std::memcpy(value, bytes->data(), sizeof *value);
  bytes->remove_prefix(sizeof *value);
  return true;
}

bool TakeField(std::string_view* bytes, std::string_view* field) {
  std::uint32_t length;
  if (!Take(bytes, &length)) return false;
  if (length == MCPS_ABSENT) return true;
  if (length > bytes->size()) return false;
  *field = bytes->substr(0, length);
  bytes->remove_prefix(length);
  return true;
}

bool TakeFrame(std::string_view* bytes, Frame* frame) {
  std::uint32_t count;
  if (!Take(bytes, &frame->kind) || !Take(bytes, &frame->number) || !Take(bytes, &frame->id) ||
      !Take(bytes, &count) || count > bytes->size() / sizeof count) {
    return false;
  }
  frame->fields.resize(count);
  for (std::string_view& field : frame->fields) {
    if (!TakeField(bytes, &field)) return false;
  }
  return true;
}

bool Obeys(const Frame& frame, const FrameRule& rule) {
  if (frame.kind != rule.kind || frame.fields.size() < rule.least) return false;
  if (frame.fields.size() > rule.most && rule.most != kAnyNumber) return false;
  for (std::size_t i = 0; i < rule.least; ++i) {
    if (!frame.Has(i)) return false;
  }
  return true;
}

}  // namespace

std::optional<double> Frame::Number(std::size_t index) const {
  std::string_view bytes = Text(index);
  double number;
  if (!Take(&bytes, &number) || !bytes.empty()) return std::nullopt;
  return number;
}

Result<Frame> ReadFrame(std::string_view bytes, std::span<const FrameRule> rules) {
  Frame frame;
  if (TakeFrame(&bytes, &frame) && bytes.empty()) {
    for (const FrameRule& rule : rules) {
      if (Obeys(frame, rule)) return frame;
    }
  }
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "this is no input frame");
}

std::string& Output() {
  // Never destroyed: a module has no end.
  static std::string* const output = new std::string;
  return *output;
}

void ClearOutput() {
  Output().clear();
  if (Output().capacity() > kKeptOutput) Output().shrink_to_fit();
}

FrameWriter::FrameWriter(std::uint32_t kind, std::uint64_t id, std::int32_t number) {
  std::string* out = &Output();
  Append(kind, out);
  Append(number, out);
  Append(id, out);
  count_at_ = out->size();
  Append(std::uint32_t{0}, out);
}

FrameWriter& FrameWriter::Add(std::string_view bytes) {
  AddLength(static_cast<std::uint32_t>(bytes.size()));
  Output().append(bytes);
  return *this;
}

FrameWriter& FrameWriter::AddAbsent() {
  AddLength(MCPS_ABSENT);
  return *this;
}

FrameWriter& FrameWriter::AddNumber(double value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return Add({bytes, sizeof bytes});
}

FrameWriter& FrameWriter::AddJson(const Json& value) {
  std::string text;
  if (!AppendJson(value, &text)) text = "null";
  return Add(text);
}

void FrameWriter::AddLength(std::uint32_t length) {
  char* const at = Output().data() + count_at_;
  std::uint32_t count;
  std::memcpy(&count, at, sizeof count);
  ++count;
  std::memcpy(at, &count, sizeof count);
  Append(length, &Output());
}

int WriteError(const Error& error) {
  FrameWriter(MCPS_ERROR).Add(CodeName(error.code)).Add(error.message);
  return 1;
}

Instant Clock::At(double now) {
  // Up to here a double counts every millisecond; NaN fails both comparisons.
  constexpr double kLast = 9007199254740992.0;
  if (now > static_cast<double>(latest_.millis) && now <= kLast) {
    latest_ = Instant{static_cast<std::int64_t>(now)};
  }
  return latest_;
}

double DeadlineOf(Instant deadline) {
  if (deadline == kNever) return std::numeric_limits<double>::infinity();
  return static_cast<double>(deadline.millis);
}

Entropy& HostEntropy() {
  class Host final : public Entropy {
   public:
    void Fill(std::span<std::uint8_t> bytes) override { mcps_entropy(bytes.data(), bytes.size()); }
  };
  static Host* const host = new Host;
  return *host;
}

}  // namespace mcp_session::abi
