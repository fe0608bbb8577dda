#include "wasm/abi.h"

#include <cstdlib>

#include "wasm/abi_frame.h"

extern "C" {

std::uint32_t mcps_abi_version(void) { return MCPS_ABI_VERSION; }

void* mcps_alloc(std::size_t size) { return std::malloc(size == 0 ? 1 : size); }
void mcps_free(void* memory) { std::free(memory); }

const void* mcps_output(void) { return mcp_session::abi::Output().data(); }
std::size_t mcps_output_size(void) { return mcp_session::abi::Output().size(); }

}  // extern "C"
