#include "tests/native/test_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

extern char** environ;

namespace mcp_session {
namespace {

constexpr int kPatienceMillis = 10'000;

// Where Bazel puts it for a test; by hand it may be elsewhere.
std::string Program() {
  const char* elsewhere = std::getenv("MCP_SESSION_PROGRAM");
  return elsewhere != nullptr ? elsewhere : "native/mcp-session";
}

std::string ReadToEnd(int fd) {
  std::string all;
  std::array<char, 4096> buffer;
  pollfd waiting{fd, POLLIN, 0};
  while (poll(&waiting, 1, kPatienceMillis) > 0) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return all;
}

}  // namespace

TestProcess::TestProcess(const std::vector<std::string>& arguments) {
  signal(SIGPIPE, SIG_IGN);
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
    std::abort();
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  std::vector<std::string> words = {Program()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  input_ = in[1];
  output_ = out[0];
  errors_ = err[0];
}

TestProcess::~TestProcess() {
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  CloseInput();
  CloseOutput();
  close(errors_);
}

bool TestProcess::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(input_, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void TestProcess::CloseInput() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void TestProcess::CloseOutput() {
  if (output_ >= 0) close(output_);
  output_ = -1;
}

std::string TestProcess::ReadLine() {
  for (;;) {
    const std::size_t end = unread_.find('\n');
    if (end != std::string::npos) {
      std::string line = unread_.substr(0, end + 1);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd waiting{output_, POLLIN, 0};
    std::array<char, 4096> buffer;
    ssize_t n = 0;
    if (poll(&waiting, 1, kPatienceMillis) > 0) n = read(output_, buffer.data(), buffer.size());
    if (n <= 0) return std::exchange(unread_, {});
    unread_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

std::string TestProcess::RestOfOutput() { return std::exchange(unread_, {}) + ReadToEnd(output_); }

std::string TestProcess::AllErrors() { return ReadToEnd(errors_); }

void TestProcess::Signal(int signal) { kill(child_, signal); }

int TestProcess::Wait() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMillis);
  int status = 0;
  while (waitpid(child_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Finished RunToEnd(const std::vector<std::string>& arguments) {
  TestProcess process(arguments);
  process.CloseInput();
  Finished finished;
  finished.output = process.RestOfOutput();
  finished.errors = process.AllErrors();
  finished.code = process.Wait();
  return finished;
}

TestProgram::TestProgram(std::vector<std::string> arguments)
    : TestProcess([&] {
        arguments.insert(arguments.begin(), {"serve", "--port", "0"});
        // What happens to run on this machine is not for tests.
        if (std::find(arguments.begin(), arguments.end(), "--store") == arguments.end()) {
          arguments.insert(arguments.end(), {"--store", "memory"});
        }
        return arguments;
      }()) {
  first_line_ = ReadLine();
  (void)ReadLine();  // the one about the browser
  const std::size_t colon = first_line_.rfind(':');
  if (colon != std::string::npos) {
    port_ = static_cast<std::uint16_t>(std::atoi(first_line_.c_str() + colon + 1));
  }
}

}  // namespace mcp_session
