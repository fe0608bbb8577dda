#include "mcp_session/cli/migrate.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "mcp_session/cli/exit.h"
#include "mcp_session/factory/open_admin.h"
#include "mcp_session/factory/store_url.h"

namespace mcp_session {
namespace {

constexpr std::size_t kPageRecords = 200;
constexpr int kMaxPasses = 10;
constexpr int kTries = 5;  // of one call to a store that is unavailable, a second apart
constexpr int kBarWidth = 40;
constexpr std::size_t kShownTag = 12;

// How far it is: a bar on a terminal, else a line for each tenth.
class Progress {
 public:
  Progress(int pass, std::uint64_t total)
      : pass_(pass), total_(total), terminal_(isatty(STDERR_FILENO) == 1) {}

  void Update(std::uint64_t done) {
    const std::uint64_t total = std::max({total_, done, std::uint64_t{1}});
    const int percent = static_cast<int>(done * 100 / total);
    if (terminal_ ? percent == shown_ : percent / 10 == shown_ / 10) return;
    shown_ = percent;
    if (terminal_) {
      const std::string bar(static_cast<std::size_t>(percent * kBarWidth / 100), '#');
      std::fprintf(stderr, "\rpass %d [%-*s] %3d%% %" PRIu64, pass_, kBarWidth, bar.c_str(),
                   percent, done);
    } else {
      std::fprintf(stderr, "pass %d: %d%%, %" PRIu64 " records\n", pass_, percent, done);
    }
  }
  void Finish() {
    if (terminal_) std::fputs("\n", stderr);
  }

 private:
  const int pass_;
  const std::uint64_t total_;
  const bool terminal_;
  int shown_ = 0;
};

// A call to a store, again if it is unavailable for a moment.
template <typename Call>
auto Patiently(Call call) {
  auto result = call();
  for (int tries = 1; tries < kTries && !result; ++tries) {
    if (result.error().code != ErrorCode::kUnavailable) break;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    result = call();
  }
  return result;
}

struct Pass {
  std::uint64_t imported = 0;
  std::uint64_t present = 0;  // in this or a higher version
  std::uint64_t failed = 0;
};

// Whether an error is about the record alone.
bool IsOfRecord(ErrorCode code) {
  return code == ErrorCode::kTooLarge || code == ErrorCode::kInvalidArgument ||
         code == ErrorCode::kCorrupt;
}

Result<Pass> CopyAll(StoreAdmin& from, StoreAdmin& to, Progress& progress) {
  Pass pass;
  std::string cursor;
  do {
    MCPS_TRY(StoreAdmin::Page page,
             Patiently([&] { return from.Scan(cursor, kPageRecords, /*whole=*/true); }));
    for (const StoredRecord& record : page.records) {
      if (record.expires_in <= Millis{} && record.remember <= Millis{}) continue;
      const auto imported = Patiently([&] { return to.Import(record); });
      if (imported) {
        ++(imported->imported ? pass.imported : pass.present);
      } else if (IsOfRecord(imported.error().code)) {
        ++pass.failed;
        LogLine("the " + record.kind + " " + record.key.record_tag.substr(0, kShownTag) + ": " +
                imported.error().message);
      } else {
        return tl::unexpected(imported.error());
      }
      progress.Update(pass.imported + pass.present + pass.failed);
    }
    cursor = std::move(page.cursor);
  } while (!cursor.empty());
  return pass;
}

int Finish(StoreAdmin& from, StoreAdmin& to, const Pass& last, std::uint64_t copied, bool settled) {
  const auto source = Patiently([&] { return from.Count(); });
  const auto target = Patiently([&] { return to.Count(); });
  if (!source) return Complain(source.error());
  if (!target) return Complain(target.error());
  std::printf("copied %" PRIu64 "; verified %" PRIu64 "; failed %" PRIu64 "\n", copied,
              last.present, last.failed);
  std::printf("live records: %" PRIu64 " in the source, %" PRIu64 " in the target\n", *source,
              *target);
  if (!settled) {
    LogLine(
        "the source is written to faster than it is copied: stop the servers that use it, and "
        "run this again");
  }
  return settled && last.failed == 0 ? kSucceeded : kFailed;
}

}  // namespace

int Migrate(const MigrateOptions& options) {
  const Result<StoreUrl> from_url = ParseStoreUrl(options.from);
  const Result<StoreUrl> to_url = ParseStoreUrl(options.to);
  if (from_url && to_url && PlaceOf(*from_url) == PlaceOf(*to_url) &&
      from_url->prefix == to_url->prefix) {
    LogLine("--from and --to are the same store");
    return kUsageError;
  }
  const auto from = OpenStoreAdmin(options.from, {}, /*create=*/false);
  if (!from) return Complain(from.error());
  const auto to = OpenStoreAdmin(options.to, {}, /*create=*/true);
  if (!to) return Complain(to.error());
  const auto total = Patiently([&] { return (*from)->Count(); });
  if (!total) return Complain(total.error());
  std::uint64_t copied = 0;
  Pass last;
  for (int number = 1; number <= kMaxPasses; ++number) {
    Progress progress(number, *total);
    const Result<Pass> pass = CopyAll(**from, **to, progress);
    progress.Finish();
    if (!pass) {
      LogLine("stopped: " + pass.error().message + " (run it again to go on)");
      return kFailed;
    }
    last = *pass;
    copied += last.imported;
    if (last.imported == 0) return Finish(**from, **to, last, copied, true);
  }
  return Finish(**from, **to, last, copied, false);
}

}  // namespace mcp_session
