#include "tests/redis/redis_server.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/support/loopback_listener.h"

namespace mcp_session {
namespace {

constexpr std::chrono::seconds kPatience(20);
constexpr std::size_t kMaxSocketPath = 100;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "redis_server: %s\n", what.c_str());
  std::abort();
}

// Short enough for the path of a Unix socket in it.
std::string MakeFolder() {
  const char* given = std::getenv("TEST_TMPDIR");
  std::string pattern = std::string(given != nullptr ? given : "/tmp") + "/redisXXXXXX";
  if (pattern.size() + sizeof("/redis.sock") > kMaxSocketPath) pattern = "/tmp/redisXXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Fail("cannot make a folder like " + pattern);
  return pattern;
}

void RemoveFolder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void RunShell(const std::string& command) {
  if (std::system(command.c_str()) != 0) Fail("cannot " + command);
}

bool WaitFor(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// Runs `spawn` on a thread that lives as long as the program: a child that is to end with its
// parent ends with the thread that made it.
pid_t SpawnFromLastingThread(const std::function<pid_t()>& spawn) {
  struct Task {
    const std::function<pid_t()>* spawn;
    std::promise<pid_t> child;
  };
  struct Spawner {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Task*> tasks;
  };
  static Spawner* const spawner = [] {
    auto* const made = new Spawner;
    std::thread([made] {
      for (;;) {
        std::unique_lock<std::mutex> lock(made->mutex);
        made->changed.wait(lock, [made] { return !made->tasks.empty(); });
        Task* const task = made->tasks.front();
        made->tasks.pop_front();
        task->child.set_value((*task->spawn)());
      }
    }).detach();
    return made;
  }();
  Task task{&spawn, {}};
  std::future<pid_t> child = task.child.get_future();
  {
    const std::lock_guard<std::mutex> lock(spawner->mutex);
    spawner->tasks.push_back(&task);
  }
  spawner->changed.notify_one();
  return child.get();
}

// 0 if `name` is not there.
std::uint64_t NumberAfter(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

std::string InWords(const redisReply* reply) {
  if (reply == nullptr) return "-IO no reply";
  switch (reply->type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply->integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, reply->len);
    case REDIS_REPLY_ARRAY: {
      std::string all;
      for (std::size_t i = 0; i < reply->elements; ++i) all += InWords(reply->element[i]) + '\n';
      return all;
    }
    default:
      return std::string(reply->str, reply->len);
  }
}

std::string RunCommand(redisContext* context, const std::vector<std::string>& words) {
  std::vector<const char*> argv;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    argv.push_back(word.data());
    sizes.push_back(word.size());
  }
  const int argc = static_cast<int>(argv.size());
  auto* reply =
      static_cast<redisReply*>(redisCommandArgv(context, argc, argv.data(), sizes.data()));
  std::string text = InWords(reply);
  if (reply != nullptr) freeReplyObject(reply);
  return text;
}

// A socket that is bound to a free port of 127.0.0.1 and does not listen.
int BindFreePort(std::uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *port = 0;
  BindToLoopback(fd, port);
  return fd;
}

}  // namespace

std::uint16_t FreePort() {
  for (;;) {
    std::uint16_t port = 0;
    close(BindFreePort(&port));
    if (port < 55'000) return port;
  }
}

RefusingPort::RefusingPort() : socket_(BindFreePort(&port_)) {}

RefusingPort::~RefusingPort() { close(socket_); }

TestCertificates::TestCertificates() : folder_(MakeFolder()) {
  const std::string quiet = " >" + folder_ + "/log 2>&1";
  const std::string in = "cd " + folder_ + " && ";
  const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
  RunShell(in + "openssl req -x509 -days 2 -subj /CN=test-ca" + key + "-keyout ca.key -out ca.crt" +
           quiet);
  std::ofstream(folder_ + "/server.ext") << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
  std::ofstream(folder_ + "/client.ext") << "extendedKeyUsage=clientAuth\n";
  for (const std::string name : {"server", "client"}) {
    RunShell(in + "openssl req -subj /CN=test-" + name + key + "-keyout " + name + ".key -out " +
             name + ".csr" + quiet + " && openssl x509 -req -days 2 -CA ca.crt -CAkey ca.key" +
             " -CAcreateserial -extfile " + name + ".ext -in " + name + ".csr -out " + name +
             ".crt" + quiet);
  }
}

TestCertificates::~TestCertificates() { RemoveFolder(folder_); }

RedisServer::RedisServer(RedisServerOptions options) : options_(std::move(options)) {
  if (options_.tls) certificates_ = std::make_unique<TestCertificates>();
  folder_ = MakeFolder();
  socket_path_ = folder_ + "/redis.sock";
  // Between finding a free port and listening on it somebody else may take it.
  for (int attempt = 0; attempt < 20; ++attempt) {
    port_ = FreePort();
    if (options_.tls) tls_port_ = FreePort();
    WriteConfiguration();
    if (Start()) return;
  }
  Fail("redis-server does not start; is it installed? " + folder_);
}

RedisServer::~RedisServer() {
  Kill();
  RemoveFolder(folder_);
}

void RedisServer::WriteConfiguration() {
  std::ofstream file(folder_ + "/redis.conf");
  file << "bind 127.0.0.1\nport " << port_ << "\ndir " << folder_ << "\nlogfile " << folder_
       << "/redis.log\n";
  if (!options_.sentinel) file << "save \"\"\nunixsocket " << socket_path_ << "\n";
  if (!options_.password.empty()) file << "requirepass \"" << options_.password << "\"\n";
  if (options_.tls) {
    file << "tls-port " << tls_port_ << "\ntls-ca-cert-file " << certificates_->ca_file()
         << "\ntls-cert-file " << certificates_->server_certificate() << "\ntls-key-file "
         << certificates_->server_key() << "\ntls-auth-clients "
         << (options_.client_certificates ? "yes" : "no") << "\n";
  }
  for (const std::string& line : options_.lines) file << line << "\n";
}

bool RedisServer::Start() {
  const std::string configuration = folder_ + "/redis.conf";
  // Debian has redis-sentinel in a package of its own; it is the same program under another name.
  const char* const mode = options_.sentinel ? "--sentinel" : nullptr;
  const pid_t parent = getpid();
  child_ = SpawnFromLastingThread([&]() -> pid_t {
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(nowhere, fd);
    execlp("redis-server", "redis-server", configuration.c_str(), mode,
           static_cast<char*>(nullptr));
    _exit(127);
  });
  if (child_ < 0) Fail("no process");
  return AwaitAnswer();
}

bool RedisServer::AwaitAnswer() {
  const bool answered = WaitFor([this] {
    if (waitpid(child_, nullptr, WNOHANG) == child_) {
      child_ = -1;
      return true;
    }
    return !Command({"PING"}).starts_with("-IO");
  });
  if (!answered) Fail("redis-server does not answer; " + folder_ + "/redis.log");
  return child_ > 0;
}

std::string RedisServer::Command(const std::vector<std::string>& words) {
  const timeval patience{10, 0};
  redisContext* context = options_.sentinel
                              ? redisConnectWithTimeout("127.0.0.1", port_, patience)
                              : redisConnectUnixWithTimeout(socket_path_.c_str(), patience);
  std::string text = "-IO no connection";
  if (context != nullptr && context->err == 0) {
    redisSetTimeout(context, patience);
    if (!options_.password.empty()) RunCommand(context, {"AUTH", options_.password});
    text = RunCommand(context, words);
  }
  if (context != nullptr) redisFree(context);
  return text;
}

void RedisServer::AwaitReplica() {
  const std::string before = Command({"INFO", "replication"});
  if (before.starts_with('-')) Fail("redis-server does not say what it wrote: " + before);
  const std::uint64_t written = NumberAfter(before, "master_repl_offset:");
  const bool there = WaitFor([this, written] {
    const std::string info = Command({"INFO", "replication"});
    const std::size_t replica = info.find("slave0:");
    return replica != std::string::npos && NumberAfter(info.substr(replica), "offset=") >= written;
  });
  if (!there) Fail("the replica did not follow; " + folder_ + "/redis.log");
}

void RedisServer::Await() {
  if (child_ > 0) waitpid(child_, nullptr, 0);
  child_ = -1;
}

void RedisServer::Kill() {
  if (child_ > 0) kill(child_, SIGKILL);
  Await();
}

void RedisServer::Stop() {
  if (child_ > 0) kill(child_, SIGTERM);
  Await();
}

void RedisServer::StartAgain() {
  std::error_code ignored;
  std::filesystem::remove(socket_path_, ignored);
  if (!Start()) Fail("redis-server does not start again; " + folder_ + "/redis.log");
}

void RedisServer::Pause() {
  kill(child_, SIGSTOP);
  int status = 0;
  waitpid(child_, &status, WUNTRACED);
}

void RedisServer::Resume() { kill(child_, SIGCONT); }

}  // namespace mcp_session
