#include "tests/faults/witness.h"

#include <utility>

#include "tests/store/matchers.h"

namespace mcp_session {

void Witness::Now(std::uint64_t version, std::string data) {
  version_ = version;
  data_ = std::move(data);
  may_be_.clear();
  may_be_ended_ = false;
}

std::string Witness::Unknown(const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable) return {};
  return "must not be " + testing::PrintToString(reply);
}

std::string Witness::Saw(const Record& record) {
  if (record.data == nullptr) return "a record without data";
  if (ended_) return "it was ended, and is there again: " + testing::PrintToString(record);
  if (record.version == version_) {
    if (*record.data == data_) return {};
    return "wrong data: " + testing::PrintToString(record) + " instead of " + data_;
  }
  if (record.version < version_) return "an older version: " + testing::PrintToString(record);
  if (!may_be_.contains(*record.data)) {
    return "nobody wrote this: " + testing::PrintToString(record);
  }
  Now(record.version, *record.data);
  return {};
}

std::string Witness::Missed() {
  if (version_ != 0 && !may_be_ended_ && !may_be_taken_ && !ended_)
    return "it is not there, and must be";
  if (version_ != 0) ended_ = true;
  return {};
}

std::string Witness::Created(const std::string& data, const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable && reply.maybe_done) may_be_.insert(data);
  if (reply.error) return Unknown(reply);
  Now(reply.record.version, data);
  return {};
}

std::string Witness::Got(const StoreReply& reply) {
  if (reply.error == ErrorCode::kNotFound) return Missed();
  if (reply.error) return Unknown(reply);
  return Saw(reply.record);
}

std::string Witness::Put(const std::string& data, const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable && reply.maybe_done) may_be_.insert(data);
  if (reply.error == ErrorCode::kNotFound) return Missed();
  if (reply.error == ErrorCode::kConflict) {
    if (reply.record.version == version_) return "a conflict with the version that was expected";
    return Saw(reply.record);
  }
  if (reply.error) return Unknown(reply);
  if (ended_) return "written after it was ended";
  if (reply.record.version <= version_) return "the version did not grow";
  Now(reply.record.version, data);
  return {};
}

std::string Witness::Touched(const StoreReply& reply) {
  if (reply.error == ErrorCode::kNotFound) return Missed();
  if (reply.error) return Unknown(reply);
  return ended_ ? "touched after it was ended" : "";
}

std::string Witness::Removed(const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable && reply.maybe_done) may_be_ended_ = true;
  if (reply.error == ErrorCode::kConflict) return Saw(reply.record);
  if (reply.error) return Unknown(reply);
  if (reply.removed == 0) return Missed();
  if (ended_) return "ended twice";
  ended_ = true;
  return {};
}

std::string Witness::Took(const StoreReply& reply) {
  if (reply.error == ErrorCode::kUnavailable && reply.maybe_done) may_be_taken_ = true;
  if (reply.error == ErrorCode::kNotFound) return Missed();
  if (reply.error) return Unknown(reply);
  const std::string wrong = Saw(reply.record);
  ended_ = true;
  return wrong;
}

}  // namespace mcp_session
