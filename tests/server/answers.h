// The text of answers in tests, from the inside of their result or error.
#ifndef TESTS_SERVER_ANSWERS_H_
#define TESTS_SERVER_ANSWERS_H_

#include <string>

namespace mcp_session {

inline std::string ResultOf(const std::string& members) {
  return R"({"jsonrpc":"2.0","id":1,"result":{)" + members + "}}";
}

inline std::string StatelessResultOf(const std::string& members) {
  return ResultOf(R"("resultType":"complete",)" + members +
                  R"(,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"mcp-session",)"
                  R"("version":"0.1.0"}})");
}

inline std::string ErrorOf(int code, const std::string& message, const std::string& data = {}) {
  return R"({"jsonrpc":"2.0","id":1,"error":{"code":)" + std::to_string(code) + R"(,"message":")" +
         message + '"' + (data.empty() ? "" : ",\"data\":" + data) + "}}";
}

}  // namespace mcp_session

#endif  // TESTS_SERVER_ANSWERS_H_
