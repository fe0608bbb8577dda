// What tests say about replies of a store; failures print the whole reply.
#ifndef TESTS_STORE_MATCHERS_H_
#define TESTS_STORE_MATCHERS_H_

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <string_view>

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

inline void PrintTo(const StoreReply& reply, std::ostream* os) {
  PrintTo(reply.ticket, os);
  *os << (reply.error ? " " + std::string(CodeName(*reply.error)) : " done");
  if (reply.record.data != nullptr) *os << " " << testing::PrintToString(reply.record);
  if (!reply.listed.empty()) *os << " listed " << testing::PrintToString(reply.listed);
  if (!reply.cursor.empty()) *os << " cursor " << testing::PrintToString(reply.cursor);
  if (reply.removed != 0) *os << " removed " << reply.removed;
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

// A length of time that is `length`, up to `tolerance`.
MATCHER_P2(IsAbout, length, tolerance,
           (negation ? "is not " : "is ") + testing::PrintToString(length) + ", give or take " +
               testing::PrintToString(tolerance)) {
  return arg.count >= length.count - tolerance.count && arg.count <= length.count + tolerance.count;
}

}  // namespace mcp_session

#endif  // TESTS_STORE_MATCHERS_H_
