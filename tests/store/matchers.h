// What tests say about replies of a store; failures print the whole reply.
#ifndef TESTS_STORE_MATCHERS_H_
#define TESTS_STORE_MATCHERS_H_

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/store/store.h"
#include "tests/support/printers.h"

namespace mcp_session {

inline void PrintTo(const StoreTicket& ticket, std::ostream* os) { *os << "#" << ticket.number; }

inline void PrintTo(const Record& record, std::ostream* os) {
  *os << "{";
  if (!record.id.empty()) *os << "id " << testing::PrintToString(record.id) << ", ";
  if (record.data == nullptr) {
    *os << "no data";
  } else if (record.data->size() > 64) {
    *os << record.data->size() << " bytes";
  } else {
    *os << testing::PrintToString(*record.data);
  }
  *os << ", version " << record.version << ", for " << testing::PrintToString(record.expires_in);
  if (record.max_life_left) *os << " of " << testing::PrintToString(*record.max_life_left);
  *os << "}";
}

inline void PrintTo(const StreamEvent& event, std::ostream* os) {
  *os << event.sequence << ": ";
  if (event.data == nullptr) {
    *os << "no data";
  } else {
    *os << testing::PrintToString(*event.data);
  }
}

inline void PrintTo(const StoreReply& reply, std::ostream* os) {
  PrintTo(reply.ticket, os);
  *os << (reply.error ? " " + std::string(CodeName(*reply.error)) : " done");
  if (reply.record.data != nullptr) *os << " " << testing::PrintToString(reply.record);
  if (!reply.listed.empty()) *os << " listed " << testing::PrintToString(reply.listed);
  if (!reply.cursor.empty()) *os << " cursor " << testing::PrintToString(reply.cursor);
  if (reply.removed != 0) *os << " removed " << reply.removed;
  if (reply.fence != 0) *os << " token " << reply.fence;
  if (reply.sequence != 0) *os << " sequence " << reply.sequence;
  if (!reply.events.empty()) *os << " events " << testing::PrintToString(reply.events);
  if (reply.maybe_done) *os << " (maybe done)";
}

MATCHER(IsDone, std::string(negation ? "is an error" : "is no error")) { return !arg.error; }

MATCHER_P(FailsWith, code,
          std::string(negation ? "is not " : "is ") + std::string(CodeName(code))) {
  return arg.error == code;
}

// No error, and the record has this data.
MATCHER_P(Holds, data,
          (negation ? "does not hold " : "holds ") + testing::PrintToString(std::string(data))) {
  return !arg.error && arg.record.data != nullptr && *arg.record.data == data;
}

MATCHER(HasNoRecord, std::string(negation ? "has" : "has no") + " record") {
  return arg.record.data == nullptr && arg.record.version == 0;
}

MATCHER_P(Removed, count, (negation ? "did not remove " : "removed ") + std::to_string(count)) {
  return !arg.error && arg.removed == static_cast<std::uint64_t>(count);
}

// No error, and a lock was granted or is held, with this token or any.
MATCHER(IsGranted, std::string(negation ? "was not" : "was") + " granted a lock") {
  return !arg.error && arg.fence != 0;
}
MATCHER_P(IsGranted, token,
          (negation ? "does not have token " : "has token ") + std::to_string(token)) {
  return !arg.error && arg.fence == static_cast<std::uint64_t>(token);
}

MATCHER(HasNoEvents, std::string(negation ? "has" : "has no") + " events") {
  return arg.events.empty();
}

// No error, and these are the data of the events, oldest first, each sequence one more than the
// one before.
MATCHER_P(HasEvents, data,
          (negation ? "does not have the events " : "has the events ") +
              testing::PrintToString(std::vector<std::string>(data))) {
  if (arg.error) return false;
  const std::vector<std::string> expected(data);
  if (arg.events.size() != expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (arg.events[i].data == nullptr || *arg.events[i].data != expected[i]) return false;
    if (i > 0 && arg.events[i].sequence != arg.events[i - 1].sequence + 1) return false;
  }
  return true;
}

// A length of time that is `length`, up to `tolerance`.
MATCHER_P2(IsAbout, length, tolerance,
           (negation ? "is not " : "is ") + testing::PrintToString(length) + ", give or take " +
               testing::PrintToString(tolerance)) {
  return arg.count >= length.count - tolerance.count && arg.count <= length.count + tolerance.count;
}

}  // namespace mcp_session

#endif  // TESTS_STORE_MATCHERS_H_
