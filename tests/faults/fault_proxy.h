// FaultProxy: stands between clients and a server on the loopback interface, and does to what goes
// through it what networks do: delays, silence, half of an answer, sudden ends. It has a thread of
// its own; all calls may come from any thread, and what they ask for is so when they return.
#ifndef TESTS_FAULTS_FAULT_PROXY_H_
#define TESTS_FAULTS_FAULT_PROXY_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "mcp_session/base/time.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {

struct Fault {
  enum class Kind : std::uint8_t {
    kNone,
    kDelay,    // bytes arrive `delay`, and up to `jitter` more, after they came; in order
    kStall,    // bytes are held back until another fault or none: connections are half open
    kSlice,    // one byte at a time
    kCut,      // as soon as `bytes` have passed, a connection ends; this happens once
    kSilence,  // old connections stall, new ones are accepted and get no answer, ever
    kRefuse,   // old connections are reset, new ones refused
  };
  enum class Way : std::uint8_t { kUp, kDown, kBoth };  // to the server; to the client

  Kind kind = Kind::kNone;
  Way way = Way::kBoth;  // kDelay, kStall, kSlice, kCut; the other one is as it should be
  Millis delay{0};
  Millis jitter{0};
  std::size_t bytes = 0;  // kCut: 0 is before the first; with kBoth, of both ways together
  bool reset = false;     // kCut: the end is an RST, else a FIN

  // kStall: what is held of a client that has gone since is delivered in the end all the same.
  bool late = false;
};

class FaultProxy {
 public:
  // To the server on `port` of 127.0.0.1. `seed`: of the jitter.
  explicit FaultProxy(std::uint16_t port, std::uint64_t seed = 1);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::uint16_t port() const { return port_; }

  // From now on this happens, and what was said before does not.
  void Set(const Fault& fault);
  void Heal() { Set({}); }

  // Ends all connections now, by RST or FIN; what is on its way is lost.
  void EndAll(bool reset);

  // Bytes on their way to the client, which are held back or delayed.
  std::size_t held() const;
  // Connections that were accepted, that were ended by kCut, and that there are.
  std::size_t accepted() const;
  std::size_t strikes() const;
  std::size_t open() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Chunk {
    std::string bytes;
    Time due;
  };
  // One way of a connection.
  struct Stream {
    int from = -1;
    int to = -1;
    Fault::Way way = Fault::Way::kUp;
    std::deque<Chunk> queue;
    bool ended = false;    // no more comes
    bool shut = false;     // `to` was told that no more comes
    bool discard = false;  // `to` takes no more
  };
  struct Connection {
    Stream up;
    Stream down;
  };

  void Listen();
  void Wake();
  void Run();
  void Accept();
  void Read(Stream& stream, bool other_ended);
  // False: the connection is to end now.
  bool Pass(Stream& stream);
  bool Holds(const Stream& stream) const;
  bool Affects(const Stream& stream, Fault::Kind kind) const;
  static void End(Connection& connection, bool reset);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int holder_ = -1;  // keeps the port ours while nobody listens
  int wake_ = -1;    // an eventfd
  std::thread thread_;

  mutable std::mutex mutex_;  // guards what follows
  int listener_ = -1;
  bool stop_ = false;
  Fault fault_;
  std::size_t cut_passed_ = 0;
  SeededEntropy random_;
  std::list<Connection> connections_;
  std::size_t accepted_ = 0;
  std::size_t strikes_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_FAULT_PROXY_H_
