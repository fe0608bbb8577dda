// A small HTTP server on a thread of its own, as an authorization server's would be: it gives one
// answer to everything.
#ifndef TESTS_AUTH_JWKS_SERVER_H_
#define TESTS_AUTH_JWKS_SERVER_H_

#include <memory>
#include <string>

#include "tests/auth/token_maker.h"

namespace mcp_session {

class JwksServer {
 public:
  JwksServer();
  explicit JwksServer(const TestCertificate& certificate);  // with TLS
  ~JwksServer();
  JwksServer(const JwksServer&) = delete;
  JwksServer& operator=(const JwksServer&) = delete;

  // http://127.0.0.1:PORT/keys, or https://localhost:PORT/keys.
  const std::string& url() const;

  void Say(int status, std::string body);
  // From now on requests are taken and not answered.
  void Mute();
  // Nobody listens any more.
  void Stop();

  std::string last_target() const;
  int requests() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mcp_session

#endif  // TESTS_AUTH_JWKS_SERVER_H_
