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

// The characters of a string, if they are not inside the string itself.
inline std::size_t CharacterBytes(const std::string& string) {
  if (string.capacity() <= std::string().capacity()) return 0;
  return AllocatedBytes(string.capacity() + 1);
}

// The block of std::make_shared, or std::allocate_shared, for an object of so many bytes.
constexpr std::size_t SharedBytes(std::size_t bytes) {
  return AllocatedBytes(bytes + 3 * sizeof(void*));
}

inline std::size_t DataBytes(const std::string& data) {
  return SharedBytes(sizeof data) + CharacterBytes(data);
}

// A string that grew piece by piece may hold twice the memory it needs, and would for years.
inline void DropSlack(std::string& data) {
  if (data.capacity() - data.size() > 64 + data.size() / 8) data.shrink_to_fit();
}

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_COST_H_
