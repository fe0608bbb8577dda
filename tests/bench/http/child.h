// A server as a child of a bench, on cores that the bench chooses.
#ifndef TESTS_BENCH_HTTP_CHILD_H_
#define TESTS_BENCH_HTTP_CHILD_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mcp_session {

// The cores to run on.
using Cores = std::vector<int>;

// This thread, and what it starts from now on, runs on those only.
void PinTo(const Cores& cores);

// As many descriptors as this process and its children may have.
void RaiseDescriptorLimit();

// CPU time of a process, all its threads since it started, in seconds.
double CpuSecondsOf(pid_t id);

class Child {
 public:
  // Starts it; its first line on stdout is the port it listens on. Ends the bench if it does not.
  Child(const std::vector<std::string>& command, const Cores& cores);
  ~Child();  // SIGTERM, and waits for its end
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::uint16_t port() const { return port_; }
  pid_t id() const { return id_; }
  double CpuSeconds() const { return CpuSecondsOf(id_); }
  // Resident memory that is no file's.
  std::size_t AllocatedBytes() const;

 private:
  pid_t id_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_BENCH_HTTP_CHILD_H_
