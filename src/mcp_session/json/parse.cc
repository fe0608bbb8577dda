// Reads without recursion and stops at the first limit crossed; nlohmann's own reader has neither
// a depth, nor a count, nor a word on members named twice.
#include "mcp_session/json/parse.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/json/number.h"
#include "mcp_session/json/utf8.h"

namespace mcp_session {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  // False: problem() says why.
  bool Read() {
    for (Next next = Next::kValue; next != Next::kEnd;) {
      SkipSpace();
      if (next == Next::kValue) {
        if (!ReadValue(&next)) return Fail("not valid JSON");
      } else if (next == Next::kFirst || open_.empty()) {
        if (!ReadFirst(&next)) return Fail("not valid JSON");
      } else if (!ReadMore(&next)) {
        return Fail("not valid JSON");
      }
    }
    return true;
  }

  Json TakeRoot() { return std::move(root_); }
  const char* problem() const { return problem_; }

 private:
  enum class Next { kValue, kFirst, kMore, kEnd };

  // Most objects of the protocol have no more members: one allocation instead of three.
  static constexpr std::size_t kRoom = 4;

  bool Fail(const char* problem) {
    if (problem_ == nullptr) problem_ = problem;
    return false;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Skip(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (Peek() == ' ' || Peek() == '\n' || Peek() == '\r' || Peek() == '\t') ++at_;
  }

  // After a bracket that opened: the one that closes it, or the first thing in it. After the
  // root: nothing.
  bool ReadFirst(Next* next) {
    if (open_.empty()) {
      *next = Next::kEnd;
      return at_ == text_.size();
    }
    if (Peek() == Closer()) return Close(next);
    return ReadBeforeValue(next);
  }

  // After a value in an array or object.
  bool ReadMore(Next* next) {
    if (Peek() == Closer()) return Close(next);
    if (!Skip(',')) return false;
    SkipSpace();
    return ReadBeforeValue(next);
  }

  bool ReadBeforeValue(Next* next) {
    *next = Next::kValue;
    auto* members = open_.back()->get_ptr<Json::object_t*>();
    if (members == nullptr) return true;
    std::string name;
    if (!ReadString(&name)) return false;
    members->emplace_back(std::move(name), Json());
    SkipSpace();
    return Skip(':');
  }

  char Closer() const { return open_.back()->is_object() ? '}' : ']'; }

  bool Close(Next* next) {
    ++at_;
    *next = Next::kMore;
    const auto* members = open_.back()->get_ptr<const Json::object_t*>();
    open_.pop_back();
    return members == nullptr || AllNamesDiffer(*members) || Fail("a member is named twice");
  }

  bool ReadValue(Next* next) {
    if (++values_ > limits_.max_json_values) return Fail("too many values");
    *next = Next::kMore;
    Json* const value = Place();
    switch (Peek()) {
      case '{':
        *next = Next::kFirst;
        *value = Json(Json::value_t::object);
        value->get_ptr<Json::object_t*>()->reserve(kRoom);
        return Open(value);
      case '[':
        *next = Next::kFirst;
        *value = Json(Json::value_t::array);
        return Open(value);
      case '"':
        *value = Json(Json::value_t::string);
        return ReadString(value->get_ptr<std::string*>());
      case 't':
        *value = true;
        return ReadLiteral("true");
      case 'f':
        *value = false;
        return ReadLiteral("false");
      case 'n':
        return ReadLiteral("null");
      default:
        return ReadNumber(value);
    }
  }

  // Where the next value goes: the root, the end of the open array, or the last named member.
  Json* Place() {
    if (open_.empty()) return &root_;
    if (auto* elements = open_.back()->get_ptr<Json::array_t*>()) {
      return &elements->emplace_back();
    }
    return &open_.back()->get_ptr<Json::object_t*>()->back().second;
  }

  bool Open(Json* value) {
    if (open_.size() >= limits_.max_json_depth) return Fail("nested too deep");
    open_.push_back(value);
    ++at_;
    return true;
  }

  bool ReadLiteral(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
  }

  bool ReadString(std::string* out) {
    if (!Skip('"')) return false;
    for (;;) {
      const std::size_t start = at_;
      while (const std::size_t length = PlainLength()) at_ += length;
      out->append(text_, start, at_ - start);
      if (Skip('"')) return true;
      if (!Skip('\\') || !ReadEscape(out)) return false;
    }
  }

  // The length of a character that stands for itself; 0 if there is none here.
  std::size_t PlainLength() const {
    const auto byte = static_cast<unsigned char>(Peek());
    if (byte >= 0x80) return Utf8Length(text_, at_);
    return byte >= 0x20 && byte != '"' && byte != '\\' ? 1 : 0;
  }

  bool ReadEscape(std::string* out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (Skip('u')) return ReadCodePoint(out);
    const std::size_t which = at_ < text_.size() ? kNames.find(text_[at_]) : kNames.npos;
    if (which == kNames.npos) return false;
    *out += kMeant[which];
    ++at_;
    return true;
  }

  bool ReadCodePoint(std::string* out) {
    std::uint32_t first;
    if (!ReadHex(&first)) return false;
    if (first >= 0xD800 && first < 0xE000) {
      std::uint32_t second;
      if (first >= 0xDC00 || !ReadLiteral("\\u") || !ReadHex(&second)) return false;
      if (second < 0xDC00 || second >= 0xE000) return false;
      first = 0x10000 + ((first & 0x3FF) << 10 | (second & 0x3FF));
    }
    AppendUtf8(first, out);
    return true;
  }

  bool ReadHex(std::uint32_t* unit) {
    *unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Peek();
      const char letter = static_cast<char>(c | 0x20);
      if (IsDigit(c)) {
        *unit = *unit << 4 | static_cast<std::uint32_t>(c - '0');
      } else if (letter >= 'a' && letter <= 'f') {
        *unit = *unit << 4 | static_cast<std::uint32_t>(letter - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  bool SkipDigits() {
    if (!IsDigit(Peek())) return false;
    while (IsDigit(Peek())) ++at_;
    return true;
  }

  bool ReadNumber(Json* value) {
    const std::size_t start = at_;
    const bool negative = Skip('-');
    const std::size_t digits = at_;
    if (!Skip('0') && !SkipDigits()) return false;
    const std::string_view integer = text_.substr(digits, at_ - digits);
    bool whole = true;
    if (Skip('.')) {
      whole = false;
      if (!SkipDigits()) return false;
    }
    if (Skip('e') || Skip('E')) {
      whole = false;
      if (!Skip('-')) Skip('+');
      if (!SkipDigits()) return false;
    }
    if (whole && SetInteger(integer, negative, value)) return true;
    const std::optional<double> number = ParseDouble(text_.substr(start, at_ - start));
    if (!number) return false;
    *value = *number;
    return true;
  }

  // False if it does not fit 64 bits.
  static bool SetInteger(std::string_view digits, bool negative, Json* value) {
    constexpr std::uint64_t kMost = ~std::uint64_t{0};
    std::uint64_t number = 0;
    for (const char c : digits) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      if (number > (kMost - digit) / 10) return false;
      number = number * 10 + digit;
    }
    if (!negative) {
      *value = number;
      return true;
    }
    if (number > std::uint64_t{1} << 63) return false;
    *value = static_cast<std::int64_t>(~number + 1);
    return true;
  }

  // Names are compared in pairs while that is cheap, else sorted first: never quadratic.
  static bool AllNamesDiffer(const Json::object_t& members) {
    constexpr std::size_t kFew = 12;
    if (members.size() <= kFew) {
      for (auto a = members.begin(); a != members.end(); ++a) {
        for (auto b = members.begin(); b != a; ++b) {
          if (a->first == b->first) return false;
        }
      }
      return true;
    }
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const auto& member : members) names.push_back(member.first);
    // A heap's sort: never quadratic either, and a third of std::sort's code.
    std::make_heap(names.begin(), names.end());
    std::sort_heap(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  }

  const std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  Json root_;
  // The open arrays and objects. Only the innermost one grows, so none of these pointers moves.
  std::vector<Json*> open_;
  std::size_t values_ = 0;
  const char* problem_ = nullptr;
};

}  // namespace

Result<Json> ParseJson(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_message_bytes) {
    return Failure(ErrorCode::kTooLarge, Blame::kPeer, "the text is too large");
  }
  Reader reader(text, limits);
  if (!reader.Read()) {
    return Failure(ErrorCode::kParseError, Blame::kPeer, reader.problem());
  }
  return reader.TakeRoot();
}

}  // namespace mcp_session
