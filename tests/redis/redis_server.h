// A real redis-server as a child of a test: in a folder of its own, on a free port of the loopback
// interface and on a Unix socket. It ends with this object, or with the test.
//
// Whatever goes wrong on the way (no redis-server, no port, no answer) ends the test program with
// a word on stderr: a test without its server has nothing to say.
#ifndef TESTS_REDIS_REDIS_SERVER_H_
#define TESTS_REDIS_REDIS_SERVER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mcp_session {

// A certificate authority, with a certificate for a server (names: localhost and 127.0.0.1) and
// one for a client, as PEM files in a folder of its own.
class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string ca_file() const { return folder_ + "/ca.crt"; }
  std::string server_certificate() const { return folder_ + "/server.crt"; }
  std::string server_key() const { return folder_ + "/server.key"; }
  std::string client_certificate() const { return folder_ + "/client.crt"; }
  std::string client_key() const { return folder_ + "/client.key"; }

 private:
  std::string folder_;
};

struct RedisServerOptions {
  std::vector<std::string> lines;    // more lines of its configuration file
  std::string password;              // of the user "default"; empty: it needs none
  bool tls = false;                  // a second port, with TLS and certificates of its own
  bool client_certificates = false;  // on that port every client must show one
  bool sentinel = false;             // `lines` say what it watches; it has no Unix socket then
};

class RedisServer {
 public:
  explicit RedisServer(RedisServerOptions options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }
  const std::string& socket_path() const { return socket_path_; }
  const TestCertificates& certificates() const { return *certificates_; }
  std::string ca_file() const { return certificates_->ca_file(); }
  const std::string& folder() const { return folder_; }
  pid_t id() const { return child_; }

  // Runs a command over a connection of its own, as the user "default", and answers the reply in
  // words: strings as they are, numbers in decimal, "(nil)", errors after a '-', and the elements
  // of an array each followed by a line break. "-IO ..." if there is no reply within ten seconds.
  std::string Command(const std::vector<std::string>& words);

  // Waits until the only replica of this server has all that was written here so far. (WAIT counts
  // only what its own connection wrote.)
  void AwaitReplica();

  void Kill();        // SIGKILL, and waits for its end
  void Stop();        // SIGTERM, and waits for its end
  void StartAgain();  // on the same port, with the same files, after Kill or Stop
  void Pause();       // SIGSTOP: connections stay, and new ones are still accepted by the system
  void Resume();      // SIGCONT

 private:
  bool Start();
  bool AwaitAnswer();
  void WriteConfiguration();
  void Await();

  RedisServerOptions options_;
  std::unique_ptr<TestCertificates> certificates_;
  std::string folder_;
  std::string socket_path_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  pid_t child_ = -1;
};

// A port of 127.0.0.1 that nobody listened on a moment ago, and whose neighbour 10,000 above is a
// port too (Redis Cluster wants it).
std::uint16_t FreePort();

// A port of 127.0.0.1 that refuses connections for as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int socket_ = -1;  // made after port_, which it fills
};

}  // namespace mcp_session

#endif  // TESTS_REDIS_REDIS_SERVER_H_
