#include "mcp_session/sqlite/check_file.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "mcp_session/sqlite/schema.h"

namespace mcp_session::sqlite {
namespace {

using Verdict = CheckLine::Verdict;

constexpr std::uint64_t kMebibyte = 1u << 20;
constexpr std::uint64_t kFewFreeBytes = 256 * kMebibyte;
constexpr std::uint64_t kHardlyAnyFreeBytes = 16 * kMebibyte;
constexpr int kProbes = 100;
constexpr double kSlowCommitMillis = 20;

// What statfs calls file systems of other machines; SQLite's locks and shared memory do not work
// on them.
constexpr std::array<std::uint32_t, 5> kNetworkFileSystems = {
    0x6969,      // NFS
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB2
    0x517b,      // SMB
    0x01021997,  // 9P
};

CheckLine CheckJournal(Database& database) {
  const std::string mode = database.ReadText("PRAGMA journal_mode");
  if (mode == "wal") return {Verdict::kGood, "log", "write-ahead log is on"};
  return {Verdict::kBad, "log", "journal mode is '" + mode + "'; open the file with a server once"};
}

CheckLine CheckDurability(Database& database) {
  switch (SynchronousOf(database)) {
    case FileSynchronous::kFull:
      return {Verdict::kGood, "persistence",
              "synchronous=full: what is acknowledged survives the loss of power"};
    case FileSynchronous::kNormal:
      return {Verdict::kGood, "persistence",
              "synchronous=normal: what is acknowledged survives kill -9; the loss of power may "
              "take the last writes"};
    case FileSynchronous::kOff:
      break;
  }
  return {Verdict::kWarning, "persistence",
          "synchronous=off: the loss of power may break the file; use full or normal"};
}

CheckLine CheckIntegrity(Database& database) {
  const std::string found = database.ReadText("PRAGMA quick_check(1)");
  const std::optional<Error> failure = database.TakeFailure();
  if (!failure && found == "ok") return {Verdict::kGood, "integrity", "the file is whole"};
  // What it found may quote what is in the file.
  return {Verdict::kBad, "integrity",
          "the file is broken; put a copy of it aside and go back to a backup"};
}

CheckLine CheckFileSystem(const std::string& path) {
  struct statfs found {};
  if (statfs(path.c_str(), &found) != 0) return {Verdict::kWarning, "file system", "unknown"};
  const auto type = static_cast<std::uint32_t>(found.f_type);
  if (std::find(kNetworkFileSystems.begin(), kNetworkFileSystems.end(), type) !=
      kNetworkFileSystems.end()) {
    return {Verdict::kBad, "file system",
            "the file is on another machine; put it on a disk of this one"};
  }
  return {Verdict::kGood, "file system", "local"};
}

CheckLine CheckSpace(const std::string& path) {
  struct statvfs found {};
  if (statvfs(path.c_str(), &found) != 0) return {Verdict::kWarning, "space", "unknown"};
  const std::uint64_t free = std::uint64_t{found.f_bavail} * found.f_frsize;
  const std::string text = std::to_string(free / kMebibyte) + " MiB free";
  if (free < kHardlyAnyFreeBytes) return {Verdict::kBad, "space", text + "; writes will fail soon"};
  if (free < kFewFreeBytes) return {Verdict::kWarning, "space", text + "; make room"};
  return {Verdict::kGood, "space", text};
}

CheckLine CheckPermissions(const std::string& path) {
  mode_t mode = 0;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found {};
    if (stat((path + suffix).c_str(), &found) == 0) mode |= found.st_mode;
  }
  if ((mode & S_IWOTH) != 0) {
    return {Verdict::kBad, "permissions", "everybody may write the file; chmod 600 it"};
  }
  if ((mode & S_IROTH) != 0) {
    return {Verdict::kBad, "permissions", "everybody may read the file; chmod 600 it"};
  }
  if ((mode & (S_IRGRP | S_IWGRP)) != 0) {
    return {Verdict::kWarning, "permissions",
            "its group may use the file; chmod 600 if it need not"};
  }
  return {Verdict::kGood, "permissions", "only its owner may use the file"};
}

std::string InMillis(double millis) {
  std::string text = std::to_string(millis);
  return text.substr(0, text.find('.') + 3) + " ms";
}

CheckLine CheckLatency(Database& database) {
  Statement probe(database, "UPDATE meta SET probe = probe + 1");
  std::vector<double> millis;
  for (int i = 0; i < kProbes && !database.failed(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    probe.Run();
    const std::chrono::duration<double, std::milli> length =
        std::chrono::steady_clock::now() - start;
    millis.push_back(length.count());
  }
  if (const std::optional<Error> failure = database.TakeFailure()) {
    return {Verdict::kBad, "latency", "nothing can be written: " + failure->message};
  }
  std::sort(millis.begin(), millis.end());
  const double middle = millis[kProbes / 2];
  const std::string text = "a commit takes " + InMillis(middle) + ", at worst " +
                           InMillis(millis.back()) + " (of " + std::to_string(kProbes) + ")";
  if (middle > kSlowCommitMillis) {
    return {Verdict::kWarning, "latency", text + "; a faster disk, or synchronous=normal"};
  }
  return {Verdict::kGood, "latency", text};
}

}  // namespace

std::vector<CheckLine> CheckFile(Database& database, const std::string& path) {
  std::vector<CheckLine> lines;
  lines.push_back({Verdict::kGood, "version",
                   "SQLite " + database.ReadText("SELECT sqlite_version()") + ", schema " +
                       std::to_string(database.ReadInt("PRAGMA user_version"))});
  lines.push_back(CheckJournal(database));
  (void)database.TakeFailure();  // the next line says it in its own words
  lines.push_back(CheckIntegrity(database));
  lines.push_back(CheckDurability(database));
  lines.push_back(CheckFileSystem(path));
  lines.push_back(CheckSpace(path));
  lines.push_back(CheckPermissions(path));
  lines.push_back(CheckLatency(database));
  return lines;
}

}  // namespace mcp_session::sqlite
