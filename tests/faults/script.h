// Script: fifty commands of every kind that one caller gives one after the other, and what each may
// be answered. What nobody knows (maybe_done) makes two worlds of one; an answer that fits none of
// them is wrong.
#ifndef TESTS_FAULTS_SCRIPT_H_
#define TESTS_FAULTS_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/store/command.h"

namespace mcp_session {

class Script {
 public:
  static constexpr int kLength = 50;

  // `name` is in all ids, owners and data.
  explicit Script(std::string name);

  // The command number `index`; to be given in order, each after the reply to the one before.
  StoreCommand Command(int index);

  // What is wrong with the reply to it; empty: nothing.
  std::string Check(int index, const StoreReply& reply);

 private:
  enum class Kind {
    kCreate,
    kGet,
    kPut,
    kPutSeen,   // at the version that was seen last
    kPutUnder,  // under the lock that was granted last
    kTouch,
    kRemove,
    kTake,
    kMove,
    kAppend,
    kRead,
    kLock,
    kExtend,
    kUnlock,
    kList,
  };
  struct Line {
    Kind kind;
    char record;          // which: 'a', 'b' or 'c'
    char other = 0;       // where kMove goes
    std::uint64_t who{};  // of locks
  };
  static const Line kLines[kLength];

  struct StoredRecord {
    std::string data;
    bool seen = false;        // the caller knows its version
    std::uint64_t fence = 0;  // the newest lock it was under; compared by who took it
    std::vector<std::string> events;
    bool operator==(const StoredRecord&) const = default;
  };
  struct World {
    std::map<char, StoredRecord> records;
    std::map<char, std::uint64_t> locks;  // who holds them
    bool operator==(const World&) const = default;
  };
  // What a command is answered in a world, which it changes.
  struct Answer {
    std::optional<ErrorCode> error;
    std::optional<std::string> data;
    std::optional<std::vector<std::string>> events;
    std::optional<std::uint64_t> removed;
    std::optional<std::size_t> listed;
  };

  Answer Carry(int index, World* world) const;
  static bool Fits(const Answer& answer, const StoreReply& reply);
  void Learn(const Line& line, const StoreReply& reply);
  RecordKey Key(char record) const;
  std::uint64_t FenceOf(std::uint64_t who) const;  // 0: nobody was told one
  std::string Data(int index) const;

  const std::string name_;
  const std::string owner_;
  std::map<char, std::string> ids_;
  std::vector<World> worlds_{1};
  std::map<char, std::uint64_t> versions_;         // seen last
  std::map<std::uint64_t, std::uint64_t> fences_;  // granted to whom
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_SCRIPT_H_
