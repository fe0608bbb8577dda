// The program mcp-session as a child of a test, with pipes to its stdin, stdout and stderr.
#ifndef TESTS_NATIVE_TEST_PROCESS_H_
#define TESTS_NATIVE_TEST_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mcp_session {

class TestProcess {
 public:
  explicit TestProcess(const std::vector<std::string>& arguments);
  // Kills it, if it still runs.
  ~TestProcess();
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;

  bool Write(std::string_view bytes);
  void CloseInput();
  void CloseOutput();

  // The next line of stdout, with its end; less if it ends before, or after ten seconds.
  std::string ReadLine();
  // What is left of stdout and stderr, when both have ended.
  std::string RestOfOutput();
  std::string AllErrors();

  void Signal(int signal);
  pid_t id() const { return child_; }
  // The exit code; 128 + the signal that ended it; -1 if it does not end in ten seconds.
  int Wait();

 private:
  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  int errors_ = -1;
  std::string unread_;
};

struct Finished {
  int code;
  std::string output;
  std::string errors;
  bool operator==(const Finished&) const = default;
};

// Runs it with an empty stdin until it ends.
Finished RunToEnd(const std::vector<std::string>& arguments);

// Starts `serve --port 0` and more arguments, and reads its first two lines. State is kept in
// memory unless there is a --store among them.
class TestProgram : public TestProcess {
 public:
  explicit TestProgram(std::vector<std::string> arguments = {});
  const std::string& first_line() const { return first_line_; }
  std::uint16_t port() const { return port_; }

 private:
  std::string first_line_;
  std::uint16_t port_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_NATIVE_TEST_PROCESS_H_
