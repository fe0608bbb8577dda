#include "tests/store/linearizability.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>
#include <unordered_set>
#include <utility>

namespace mcp_session {
namespace {

using Kind = Operation::Kind;

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kGet:
      return "get";
    case Kind::kCreate:
      return "create";
    case Kind::kPut:
      return "put";
    case Kind::kTouch:
      return "touch";
    case Kind::kRemove:
      return "remove";
    case Kind::kTake:
      return "take";
    case Kind::kRegenerate:
      return "regenerate";
    case Kind::kLock:
      return "lock";
    case Kind::kExtend:
      return "extend";
    case Kind::kUnlock:
      return "unlock";
  }
  return "";
}

// A key's record and its lock, as the contract has them. What a command with an unknown outcome was
// given (a version, a token) is not known until somebody sees it.
class Register {
 public:
  // Does `operation`. False: it cannot have ended as it did.
  bool Apply(const Operation& operation) {
    const bool is_open = operation.returned == Operation::kNever;
    switch (operation.kind) {
      case Kind::kGet:
        return operation.error ? IsAbsent(operation) : Shows(operation);
      case Kind::kCreate:
        if (operation.error) return operation.error == ErrorCode::kExists && alive_;
        if (alive_) return false;
        alive_ = true;
        fence_ = holder_ == 0 ? 0 : token_;
        fence_is_known_ = holder_ == 0 || token_ != 0;
        brought_ = 0;
        return Write(operation, is_open);
      case Kind::kPut:
        if (operation.error) return FailsLike(operation);
        return alive_ && MayWrite(operation) && Write(operation, is_open);
      case Kind::kTouch:
        return operation.error ? IsAbsent(operation) : alive_;
      case Kind::kRemove:
        if (operation.error) return FailsLike(operation);
        if (!is_open && operation.removed == 0) return !alive_;
        if (!alive_ || !MayWrite(operation)) return false;
        alive_ = false;
        return true;
      case Kind::kTake:
        if (operation.error) return IsAbsent(operation);
        if (is_open ? !alive_ : !Shows(operation)) return false;
        alive_ = false;
        return true;
      case Kind::kLock:
        return Lock(operation, is_open);
      case Kind::kExtend:
        if (operation.error) {
          return operation.error == ErrorCode::kLockLost && holder_ != operation.holder;
        }
        return holder_ == operation.holder && Lock(operation, is_open);
      case Kind::kRegenerate:
        return false;  // of two keys
      case Kind::kUnlock:
        if (operation.error) {
          return operation.error == ErrorCode::kLockLost && holder_ != operation.holder;
        }
        if (holder_ != operation.holder) return false;
        holder_ = 0;
        return true;
    }
    return false;
  }

  // Does a Regenerate of `from`, to here.
  bool ApplyRegenerate(const Operation& operation, Register& from) {
    const bool is_open = operation.returned == Operation::kNever;
    if (operation.error == ErrorCode::kExists) return from.alive_ && alive_;
    if (operation.error) return from.IsAbsent(operation);
    if (!from.alive_ || alive_) return false;
    highest_version_ = std::max(highest_version_, from.highest_version_);
    if (!is_open) {
      if (operation.seen != from.data_ || operation.version <= highest_version_) return false;
      highest_version_ = operation.version;
    }
    version_ = is_open ? 0 : operation.version;
    data_ = from.data_;
    alive_ = true;
    from.alive_ = false;
    fence_ = from.fence_;
    fence_is_known_ = from.fence_is_known_;
    brought_ = std::max(from.brought_, from.highest_token_);
    if (holder_ != 0) Fence(token_);
    return true;
  }

  bool operator==(const Register&) const = default;

  std::string Describe() const {
    std::ostringstream text;
    if (alive_) {
      text << "\"" << data_ << "\" at version " << version_ << ", fence " << fence_;
    } else {
      text << "no record";
    }
    text << ", versions up to " << highest_version_;
    if (holder_ != 0) text << ", locked by " << holder_ << " with token " << token_;
    text << ", tokens up to " << highest_token_ << (fence_is_known_ ? "" : ", fence not known");
    return text.str();
  }

 private:
  bool IsAbsent(const Operation& operation) const {
    return operation.error == ErrorCode::kNotFound && !alive_;
  }

  bool Shows(const Operation& operation) {
    return alive_ && operation.seen == data_ && IsAt(operation.version);
  }

  bool FailsLike(const Operation& operation) {
    switch (*operation.error) {
      case ErrorCode::kConflict:
        return operation.expected && *operation.expected != operation.version && Shows(operation);
      case ErrorCode::kFenced:
        // What a record that was made later knows of old tokens is not promised.
        return alive_ && operation.fence != 0 &&
               (operation.fence < std::max(highest_token_, brought_) || !fence_is_known_);
      default:
        return IsAbsent(operation);
    }
  }

  bool IsAt(std::uint64_t version) {
    if (version_ != 0) return version == version_;
    if (version <= highest_version_) return false;
    version_ = highest_version_ = version;
    return true;
  }

  bool MayWrite(const Operation& operation) {
    if (operation.fence != 0 && fence_is_known_ && operation.fence < fence_) return false;
    return !operation.expected || IsAt(*operation.expected);
  }

  bool Write(const Operation& operation, bool is_open) {
    if (!is_open && operation.version <= highest_version_) return false;
    data_ = operation.data;
    version_ = is_open ? 0 : operation.version;
    highest_version_ = std::max(highest_version_, version_);
    return true;
  }

  bool Lock(const Operation& operation, bool is_open) {
    const bool is_held = holder_ != 0;
    if (operation.error) {
      return operation.error == ErrorCode::kLocked && is_held && holder_ != operation.holder;
    }
    if (is_held && holder_ != operation.holder) return false;
    const bool is_told = is_held && token_ != 0;
    if (is_open) {
      if (is_held) return true;
      token_ = 0;
    } else if (is_told) {
      return operation.token == token_;
    } else {
      if (operation.token <= highest_token_) return false;
      token_ = highest_token_ = operation.token;
    }
    holder_ = operation.holder;
    Fence(token_);
    return true;
  }

  // Tokens of two keys say nothing to each other.
  void Fence(std::uint64_t token) {
    fence_is_known_ = token != 0 && token >= (alive_ ? fence_ : 0);
    fence_ = token;
  }

  bool alive_ = false;
  std::string data_;
  std::uint64_t version_ = 0;  // 0: not known, but over highest_version_
  std::uint64_t highest_version_ = 0;
  std::uint64_t holder_ = 0;  // 0: nobody
  std::uint64_t token_ = 0;   // 0: not known, but over highest_token_
  std::uint64_t highest_token_ = 0;
  std::uint64_t fence_ = 0;
  bool fence_is_known_ = true;
  std::uint64_t brought_ = 0;  // the highest token of other keys that the record may know
};

// Two keys, between which Regenerate goes.
class Registers {
 public:
  // As of Register.
  bool Apply(const Operation& operation) {
    const auto place = static_cast<std::size_t>(operation.place);
    if (operation.kind != Kind::kRegenerate) return keys_[place].Apply(operation);
    return keys_[1 - place].ApplyRegenerate(operation, keys_[place]);
  }

  bool operator==(const Registers&) const = default;

  std::string Describe() const { return keys_[0].Describe() + "; " + keys_[1].Describe(); }

 private:
  std::array<Register, 2> keys_;
};

class Search {
 public:
  explicit Search(std::vector<Operation> history) : history_(std::move(history)) {
    std::sort(history_.begin(), history_.end(),
              [](const Operation& a, const Operation& b) { return a.invoked < b.invoked; });
    done_.assign(history_.size(), '0');
    for (const Operation& operation : history_) {
      if (operation.returned != Operation::kNever) ++left_;
    }
  }

  bool Explain(const Registers& state) {
    if (left_ == 0) return true;
    while (first_ < done_.size() && done_[first_] == '1') ++first_;
    const std::size_t first = first_;
    if (!seen_.insert(done_.substr(first) + state.Describe()).second) return false;
    std::uint64_t earliest_return = Operation::kNever;
    for (std::size_t i = first; i < history_.size(); ++i) {
      if (done_[i] == '1') continue;
      if (history_[i].invoked > earliest_return) break;
      earliest_return = std::min(earliest_return, history_[i].returned);
    }
    Remember(state, first, earliest_return);
    std::vector<std::pair<std::size_t, Registers>> nexts;
    for (std::size_t i = first; i < history_.size(); ++i) {
      if (history_[i].invoked > earliest_return) break;
      if (done_[i] == '1') continue;
      Registers next = state;
      if (!next.Apply(history_[i])) continue;
      if (next == state) return ExplainAfter(i, next, first);  // it is in nobody's way
      nexts.emplace_back(i, std::move(next));
    }
    for (const auto& [i, next] : nexts) {
      if (ExplainAfter(i, next, first)) return true;
    }
    return false;
  }

  std::string furthest() const { return furthest_; }

 private:
  bool ExplainAfter(std::size_t i, const Registers& next, std::size_t first) {
    const std::size_t counts = history_[i].returned != Operation::kNever ? 1 : 0;
    done_[i] = '1';
    left_ -= counts;
    if (Explain(next)) return true;
    done_[i] = '0';
    left_ += counts;
    first_ = first;
    return false;
  }

  void Remember(const Registers& state, std::size_t first, std::uint64_t earliest_return) {
    if (left_ >= furthest_left_) return;
    furthest_left_ = left_;
    std::ostringstream text;
    text << "no order explains the history; the longest leaves " << left_ << " of "
         << history_.size() << " and gets to: " << state.Describe() << "\nthen none of these fits:";
    for (std::size_t i = first; i < history_.size(); ++i) {
      if (done_[i] == '1' || history_[i].invoked > earliest_return) continue;
      text << "\n  ";
      PrintTo(history_[i], &text);
    }
    furthest_ = text.str();
  }

  std::vector<Operation> history_;
  std::string done_;       // of each operation '0' or '1'
  std::size_t first_ = 0;  // all before it are done
  std::size_t left_ = 0;   // how many of those that returned are not done
  std::size_t furthest_left_ = std::numeric_limits<std::size_t>::max();
  std::string furthest_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

void PrintTo(const Operation& operation, std::ostream* os) {
  *os << "client " << operation.client << " " << operation.invoked << "-";
  if (operation.returned != Operation::kNever) *os << operation.returned;
  *os << " " << NameOf(operation.kind) << " of " << operation.place;
  if (!operation.data.empty()) *os << " \"" << operation.data << "\"";
  if (operation.expected) *os << " at version " << *operation.expected;
  if (operation.fence != 0) *os << " under token " << operation.fence;
  if (operation.holder != 0) *os << " for " << operation.holder;
  *os << ": ";
  if (operation.returned == Operation::kNever) {
    *os << "unknown";
    return;
  }
  *os << (operation.error ? CodeName(*operation.error) : "done");
  if (!operation.seen.empty()) *os << " \"" << operation.seen << "\"";
  if (operation.version != 0) *os << " version " << operation.version;
  if (operation.kind == Kind::kRemove) *os << " removed " << operation.removed;
  if (operation.token != 0) *os << " token " << operation.token;
}

std::optional<std::string> FindViolation(std::vector<Operation> history) {
  Search search(std::move(history));
  if (search.Explain(Registers())) return std::nullopt;
  return search.furthest();
}

}  // namespace mcp_session
