// A plain HTTP client for tests: it sends the bytes it is told to, and waits at most ten seconds
// for anything.
#ifndef TESTS_NATIVE_TEST_CLIENT_H_
#define TESTS_NATIVE_TEST_CLIENT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mcp_session {

struct TestResponse {
  int status = 0;                              // 0: the connection ended first
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // without chunk framing
};

class TestClient {
 public:
  // Connects to 127.0.0.1, or to an IPv6 address. A small `receive_buffer` makes for a peer that
  // soon has no room for more.
  explicit TestClient(std::uint16_t port, int receive_buffer = 0, const char* host = "127.0.0.1");
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // False if the peer does not take it.
  bool Send(std::string_view bytes);
  // The next response. `method` is that of the request it answers.
  TestResponse Receive(std::string_view method = "POST");
  TestResponse Exchange(std::string_view request);

  // For streams: only the head, without body; then pieces of it.
  TestResponse ReceiveHead();
  // Bytes up to and with `end`; what there was, if the connection ends before.
  std::string ReceiveUntil(std::string_view end);

  // Whether the peer closes, without sending anything more, in time.
  bool Ended();
  // Whether there is something to read, or the end, within `millis`.
  bool Readable(int millis);
  void CloseSending();
  void Close();

 private:
  bool Fill();

  int socket_ = -1;
  std::string received_;
};

// A POST to /mcp. `headers` are whole lines.
std::string Post(std::string_view body, std::string_view headers = {});

// A stateless tools/call, as a whole request. `arguments` is JSON text.
std::string StatelessCall(std::string_view tool, std::string_view arguments = "{}",
                          std::string_view meta = {});

// A tools/call in a session.
std::string SessionCall(std::string_view session, std::string_view tool,
                        std::string_view arguments = "{}", std::string_view meta = {});

// Makes a session; its id. `capabilities` are the client's, as JSON text.
std::string Initialize(TestClient& client, std::string_view capabilities = "{}");

}  // namespace mcp_session

#endif  // TESTS_NATIVE_TEST_CLIENT_H_
