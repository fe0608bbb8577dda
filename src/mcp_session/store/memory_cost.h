// What things take in memory, as common allocators round it up. For the books of the stores that
// keep records in memory.
#ifndef MCP_SESSION_STORE_MEMORY_COST_H_
#define MCP_SESSION_STORE_MEMORY_COST_H_

#include <cstddef>
#include <string>

namespace mcp_session {

// An allocation of `bytes`, with its header.
constexpr std::size_t AllocatedBytes(std::size_t bytes) {
  constexpr std::size_t kUnit = 2 * sizeof(void*);
  return (bytes + sizeof(void*) + kUnit - 1) / kUnit * kUnit;
}

// A shared string: the block of std::make_shared, and the characters if they are not inside the
// string itself.
inline std::size_t DataBytes(const std::string& data) {
  const std::size_t block = AllocatedBytes(sizeof(std::string) + 3 * sizeof(void*));
  if (data.capacity() <= std::string().capacity()) return block;
  return block + AllocatedBytes(data.capacity() + 1);
}

// A string that grew piece by piece may hold twice the memory it needs, and would for years.
inline void DropSlack(std::string& data) {
  if (data.capacity() - data.size() > 64 + data.size() / 8) data.shrink_to_fit();
}

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_COST_H_
