#include "mcp_session/json/parse.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace mcp_session {
namespace {

// Builds the value as nlohmann's own reader would, and stops at the first limit crossed. nlohmann
// parses without recursion and checks UTF-8; what it lacks is a depth, a count, and a word on
// members named twice.
class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(Json::number_integer_t value) { return Put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return Put(value); }
  bool number_float(Json::number_float_t value, const Json::string_t&) { return Put(value); }
  bool string(Json::string_t& value) { return Put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) {
    if (!Open(Json::value_t::object)) return false;
    open_.back()->get_ptr<Json::object_t*>()->reserve(kRoom);
    return true;
  }
  bool key(Json::string_t& name) {
    auto& members = *open_.back()->get_ptr<Json::object_t*>();
    members.emplace_back(std::move(name), Json());
    return true;
  }
  bool end_object() {
    const auto& members = *open_.back()->get_ptr<const Json::object_t*>();
    open_.pop_back();
    return AllNamesDiffer(members) || Fail("a member is named twice");
  }
  bool start_array(std::size_t) { return Open(Json::value_t::array); }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return Fail("not valid JSON");
  }

  Json TakeRoot() { return std::move(root_); }
  const char* problem() const { return problem_; }

 private:
  // Most objects of the protocol have no more members: one allocation instead of three.
  static constexpr std::size_t kRoom = 4;

  bool Fail(const char* problem) {
    if (problem_ == nullptr) problem_ = problem;
    return false;
  }

  // Where the next value goes: the root, the end of the open array, or the last named member.
  template <typename T>
  Json* Place(T&& value) {
    if (open_.empty()) {
      root_ = Json(std::forward<T>(value));
      return &root_;
    }
    if (auto* elements = open_.back()->get_ptr<Json::array_t*>()) {
      elements->emplace_back(std::forward<T>(value));
      return &elements->back();
    }
    Json& member = open_.back()->get_ptr<Json::object_t*>()->back().second;
    member = Json(std::forward<T>(value));
    return &member;
  }

  template <typename T>
  bool Put(T&& value) {
    if (++values_ > limits_.max_json_values) return Fail("too many values");
    Place(std::forward<T>(value));
    return true;
  }

  bool Open(Json::value_t type) {
    if (++values_ > limits_.max_json_values) return Fail("too many values");
    if (open_.size() >= limits_.max_json_depth) return Fail("nested too deep");
    open_.push_back(Place(type));
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
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  }

  const Limits& limits_;
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
  Builder builder(limits);
  if (text.substr(0, 3) == "\xEF\xBB\xBF" ||
      !Json::sax_parse(text.data(), text.data() + text.size(), &builder)) {
    return Failure(ErrorCode::kParseError, Blame::kPeer,
                   builder.problem() ? builder.problem() : "not valid JSON");
  }
  return builder.TakeRoot();
}

}  // namespace mcp_session
