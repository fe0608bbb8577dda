// Witness: what may be true of one record that only one caller changes, worked out from the replies
// to its commands. Says so when a reply cannot be.
//
// Every change but Take is made conditional on the version, so a command whose outcome is not known
// may still be carried out later, but not any more once the record has another version. A record is
// created again only if it was certainly not created before.
#ifndef TESTS_FAULTS_WITNESS_H_
#define TESTS_FAULTS_WITNESS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "mcp_session/store/command.h"

namespace mcp_session {

class Witness {
 public:
  // Each answers what is wrong with the reply; empty: nothing.
  std::string Created(const std::string& data, const StoreReply& reply);
  std::string Got(const StoreReply& reply);
  std::string Put(const std::string& data, const StoreReply& reply);
  std::string Touched(const StoreReply& reply);
  std::string Removed(const StoreReply& reply);
  std::string Took(const StoreReply& reply);

  // A Create may have been, or may still be, carried out.
  bool may_exist() const { return version_ != 0 || !may_be_.empty(); }
  // The version to expect; 0 if nothing is known to be there.
  std::uint64_t version() const { return version_; }
  // It was ended, and the store said so: it must never be seen again.
  bool ended() const { return ended_; }

 private:
  // The record was seen like this.
  std::string Saw(const Record& record);
  // It was said not to be there.
  std::string Missed();
  std::string Unknown(const StoreReply& reply);
  void Now(std::uint64_t version, std::string data);

  std::uint64_t version_ = 0;
  std::string data_;              // if version_ is not 0
  std::set<std::string> may_be_;  // what it was perhaps given by a Create or Put
  bool may_be_ended_ = false;
  bool may_be_taken_ = false;
  bool ended_ = false;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_WITNESS_H_
