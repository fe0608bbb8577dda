// The commands of a store as operations of its faces: one function for each, so that both faces
// offer the same ones and neither spells out a command.
#ifndef MCP_SESSION_FACE_OPERATION_H_
#define MCP_SESSION_FACE_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/face/store_result.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

// Makes the command when it is submitted. It may refer to what the function holds.
using MakeCommand = std::function<StoreCommand()>;

// A command, and what of a reply without error is the answer.
template <typename T>
struct Operation {
  MakeCommand make;
  T (*read)(StoreReply& reply);
};
// In place of void.
struct Done {};

namespace operation {

Operation<Record> Create(RecordName name, std::string data, Lifetime lifetime,
                         std::uint64_t write_id);
Operation<Record> Get(RecordName name);
Operation<Record> Put(RecordName name, std::string data, std::optional<std::uint64_t> expected,
                      WriteOptions options);
Operation<Done> Touch(RecordName name);
Operation<bool> Remove(RecordName name, std::optional<std::uint64_t> expected, std::uint64_t fence);
Operation<Record> Take(RecordName name);
Operation<Record> Regenerate(RecordName from, RecordName to, std::uint64_t write_id);
Operation<std::uint64_t> RemoveOwned(std::string owner);
Operation<RecordPage> List(std::string owner, std::string kind, std::string cursor,
                           std::size_t limit);
Operation<std::uint64_t> Lock(RecordName name, std::uint64_t holder, Millis lease);
Operation<Millis> Extend(RecordName name, std::uint64_t holder, Millis lease);
Operation<Done> Unlock(RecordName name, std::uint64_t holder);
Operation<std::uint64_t> Append(RecordName name, std::string data, std::size_t keep);
Operation<std::vector<StreamEvent>> ReadEvents(RecordName name, std::uint64_t after,
                                               std::size_t limit, Millis wait);

}  // namespace operation

// The error of a reply that has one.
StoreError ErrorOf(StoreReply& reply);

template <typename T>
StoreResult<T> ResultOf(const Operation<T>& operation, StoreReply& reply) {
  if (reply.error) return tl::unexpected<StoreError>(ErrorOf(reply));
  return operation.read(reply);
}

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_OPERATION_H_
