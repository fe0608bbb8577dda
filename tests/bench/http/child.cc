#include "tests/bench/http/child.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mcp_session {

void PinTo(const Cores& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) std::perror("sched_setaffinity");
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) std::perror("setrlimit");
}

Child::Child(const std::vector<std::string>& command, const Cores& cores) {
  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) std::abort();
  id_ = fork();
  if (id_ == 0) {
    PinTo(cores);
    dup2(pipe_ends[1], STDOUT_FILENO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    std::perror(words[0]);
    _exit(127);
  }
  close(pipe_ends[1]);
  std::string line;
  for (char c = 0; read(pipe_ends[0], &c, 1) == 1 && c != '\n';) line += c;
  port_ = static_cast<std::uint16_t>(std::atoi(line.c_str()));
  if (port_ == 0) {
    std::fprintf(stderr, "%s does not listen\n", command[0].c_str());
    std::exit(1);
  }
}

Child::~Child() {
  kill(id_, SIGTERM);
  waitpid(id_, nullptr, 0);
}

double CpuSecondsOf(pid_t id) {
  std::ifstream file("/proc/" + std::to_string(id) + "/stat");
  std::stringstream text;
  text << file.rdbuf();
  std::string rest = text.str();
  std::istringstream fields(rest.substr(rest.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::size_t Child::AllocatedBytes() const {
  std::ifstream file("/proc/" + std::to_string(id_) + "/status");
  for (std::string name; file >> name;) {
    std::size_t kibibytes = 0;
    if (name == "RssAnon:" && file >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

}  // namespace mcp_session
