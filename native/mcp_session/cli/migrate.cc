#include "mcp_session/cli/migrate.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/cli/exit.h"
#include "mcp_session/cli/migration_journal.h"
#include "mcp_session/cli/patience.h"
#include "mcp_session/factory/open_admin.h"
#include "mcp_session/factory/store_url.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

constexpr std::size_t kPageRecords = 500;
constexpr int kMaxPasses = 10;
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

struct Pass {
  std::uint64_t imported = 0;  // written into the target
  std::uint64_t failed = 0;
  std::uint64_t records = 0;   // that live in the source
  std::uint64_t changed = 0;   // of these, since they were seen last
  std::uint64_t verified = 0;  // of these, that are in the target in this or a higher version
  std::uint64_t pages = 0;     // of the journal of another migration, which are not copied
};

// Lengths of time were right at `read`, and get right for now.
void Age(std::vector<StoredRecord>* records, Instant* read) {
  const Instant now = MonotonicNow();
  const std::int64_t passed = (now - std::exchange(*read, now)).count;
  for (StoredRecord& record : *records) {
    record.expires_in.count -= passed;
    if (record.max_life_left) record.max_life_left->count -= passed;
  }
}

// Takes off what is not copied.
void Select(std::vector<StoredRecord>* records, Pass* pass) {
  std::erase_if(*records, [pass](const StoredRecord& record) {
    const bool is_live = record.expires_in > Millis{};
    if (!MigrationJournal::IsPage(record)) return !is_live && record.remember <= Millis{};
    if (is_live) ++pass->pages;
    return true;
  });
}

Result<Pass> CopyAll(StoreAdmin& from, StoreAdmin& to, MigrationJournal& journal,
                     Progress& progress) {
  Pass pass;
  std::uint64_t done = 0;
  std::string cursor;
  journal.BeginPass();
  do {
    MCPS_TRY(StoreAdmin::Page page,
             Patiently([&] { return from.Scan(cursor, kPageRecords, /*whole=*/true); }));
    Instant read = MonotonicNow();
    Select(&page.records, &pass);
    MCPS_TRY(const MigrationJournal::Noted noted, journal.Note(page.records));
    pass.records += noted.records;
    pass.changed += noted.changed;
    pass.verified += noted.records;
    MCPS_TRY(const std::vector<StoreAdmin::Imported> imported, Patiently([&] {
               Age(&page.records, &read);
               return to.Import(page.records);
             }));
    for (std::size_t i = 0; i < imported.size(); ++i) {
      const StoredRecord& record = page.records[i];
      if (imported[i].imported) ++pass.imported;
      if (!imported[i].refused) continue;
      ++pass.failed;
      if (record.expires_in > Millis{}) pass.verified -= std::min<std::uint64_t>(1, pass.verified);
      LogLine("the " + record.kind + " " + record.key.record_tag.substr(0, kShownTag) + ": " +
              imported[i].refused->message);
    }
    progress.Update(done += page.records.size());
    cursor = std::move(page.cursor);
  } while (!cursor.empty());
  return pass;
}

// Ends in the target what has been removed from the source since it was seen there. What clients of
// the target have written has a higher version, and stays. Answers how many it were.
Result<std::uint64_t> EndRemoved(StoreAdmin& from, StoreAdmin& to,
                                 const MigrationJournal& journal) {
  std::uint64_t ended = 0;
  std::vector<StoreAdmin::Ending> removed;
  const auto end_them = [&]() -> Result<void> {
    const auto done = Patiently([&] { return to.EndUpTo(removed); });
    if (!done) return tl::unexpected(done.error());
    ended += *done;
    removed.clear();
    return {};
  };
  for (const StoreAdmin::Ending& missed : journal.FindMissed()) {
    const auto found = Patiently([&] { return from.Find(missed.key); });
    if (!found && found.error().code != ErrorCode::kCorrupt) return tl::unexpected(found.error());
    if (!found || *found) continue;
    removed.push_back(missed);
    if (removed.size() < kPageRecords) continue;
    if (const Result<void> done = end_them(); !done) return tl::unexpected(done.error());
  }
  if (const Result<void> done = end_them(); !done) return tl::unexpected(done.error());
  return ended;
}

int Stop(const Error& error) {
  LogLine("stopped: " + error.message + " (run it again to go on)");
  return kFailed;
}

int Finish(StoreAdmin& from, StoreAdmin& to, MigrationJournal& journal, const Pass& last,
           std::uint64_t copied) {
  const auto ended = EndRemoved(from, to, journal);
  if (!ended) return Stop(ended.error());
  // The target first: what ends between the two counts is then not missed in it.
  const auto target = Patiently([&] { return to.Count(); });
  if (!target) return Stop(target.error());
  const auto source = Patiently([&] { return from.Count(); });
  if (!source) return Stop(source.error());
  const std::uint64_t in_source = *source - std::min(*source, last.pages);
  const std::uint64_t in_target = *target - std::min(*target, journal.CountPages());
  std::printf("copied %" PRIu64 "; verified %" PRIu64 "; failed %" PRIu64 "; ended %" PRIu64 "\n",
              copied, last.verified, last.failed, *ended);
  std::printf("live records: %" PRIu64 " in the source, %" PRIu64 " in the target\n", in_source,
              in_target);
  if (last.changed > 0) {
    LogLine("the source is in use: " + std::to_string(last.changed) +
            " of its records were new or different in the last pass. Stop the servers that use "
            "it, then run this again: little is left to copy");
    return kFailed;
  }
  if (last.failed > 0) {
    LogLine(std::to_string(last.failed) + " could not be copied; each is named above");
    return kFailed;
  }
  if (in_source > last.verified || in_target < in_source) {
    LogLine(
        "the counts do not agree: not every record of the source is in the target. Run this "
        "again");
    return kFailed;
  }
  const Result<void> removed = journal.Remove();
  return removed ? kSucceeded : Stop(removed.error());
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
  MigrationJournal journal(**to, PlaceOf(*from_url) + ' ' + from_url->prefix);
  if (const Result<void> loaded = journal.Load(); !loaded) return Stop(loaded.error());
  std::uint64_t copied = 0, changed_before = 0;
  for (int number = 1;; ++number) {
    Progress progress(number, *total);
    const Result<Pass> pass = CopyAll(**from, **to, journal, progress);
    progress.Finish();
    if (!pass) return Stop(pass.error());
    copied += pass->imported;
    // Where servers are at work, more passes help only as long as each leaves much less to the
    // next.
    const bool helps = number == 1 || (number < kMaxPasses && pass->changed <= changed_before / 2);
    if (pass->changed == 0 || !helps) return Finish(**from, **to, journal, *pass, copied);
    changed_before = pass->changed;
  }
}

}  // namespace mcp_session
