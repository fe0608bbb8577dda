// The user that docs/redis.md tells operators to make: what may be done in it is all that tests
// permit a store, and nothing that is not in the document.
#ifndef TESTS_REDIS_DOCUMENTED_USER_H_
#define TESTS_REDIS_DOCUMENTED_USER_H_

#include <string>
#include <vector>

namespace mcp_session {

// The words of its ACL SETUSER, for the user "sessions" with the password "secret". A document
// without them ends the program.
std::vector<std::string> DocumentedUser();

// The commands it permits, without the '+'.
std::vector<std::string> DocumentedCommands();

}  // namespace mcp_session

#endif  // TESTS_REDIS_DOCUMENTED_USER_H_
