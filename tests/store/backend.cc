#include "tests/store/backend.h"

namespace mcp_session {

void PrintTo(const StoreBackend& backend, std::ostream* os) { *os << backend.name; }

std::string StoreBackendName(const testing::TestParamInfo<StoreBackend>& info) {
  return info.param.name;
}

}  // namespace mcp_session
