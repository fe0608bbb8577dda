// The contract of SessionStore, on a file. Whether every commit waits for the disk changes nothing
// that anybody sees while the machine is up.
#include "tests/sqlite/file_backend.h"
#include "tests/store/contract.h"

namespace mcp_session {
namespace {

const auto kBackends = testing::Values(FileBackend("Full", FileSynchronous::kFull),
                                       FileBackend("Off", FileSynchronous::kOff));
INSTANTIATE_TEST_SUITE_P(File, StoreContract, kBackends, StoreBackendName);
INSTANTIATE_TEST_SUITE_P(File, StoreExtrasContract, kBackends, StoreBackendName);

}  // namespace
}  // namespace mcp_session
