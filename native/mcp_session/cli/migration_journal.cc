#include "mcp_session/cli/migration_journal.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/cli/patience.h"

namespace mcp_session {
namespace {

// No handle can have such a kind, and hardly anything else does.
constexpr std::string_view kKind = "mcp-session migration";
constexpr std::string_view kFormat = "MJ1 ";
constexpr std::size_t kLinesOfPage = 500;  // 50 KB at most: it fits where records do
constexpr std::size_t kScanned = 1000;

// By how much an end must move to count as later: more than it takes to read a page of a store.
constexpr Millis kLater = Seconds(5);

Instant WallNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

// An anonymous record's owner has no tag.
std::string TagsOf(const StoredKey& key) { return key.record_tag + key.owner_tag; }
StoredKey KeyOf(std::string_view tags) {
  return {.owner_tag = std::string(tags.substr(kTagSize)),
          .record_tag = std::string(tags.substr(0, kTagSize))};
}

// What stands before the next `end` in `text`, and takes both off.
std::string_view TakeUntil(char end, std::string_view* text) {
  const std::size_t size = std::min(text->find(end), text->size());
  const std::string_view taken = text->substr(0, size);
  text->remove_prefix(std::min(size + 1, text->size()));
  return taken;
}

}  // namespace

MigrationJournal::MigrationJournal(StoreAdmin& target, std::string_view source)
    : target_(target),
      heading_(std::string(kFormat) + OwnerTag(source) + "\n"),
      next_page_(static_cast<std::uint64_t>(WallNow().millis) * 1000) {}

bool MigrationJournal::IsPage(const StoredRecord& record) { return record.kind == kKind; }

Result<void> MigrationJournal::Load() {
  std::string cursor;
  do {
    MCPS_TRY(StoreAdmin::Page scanned,
             Patiently([&] { return target_.Scan(cursor, kScanned, /*whole=*/false); }));
    for (const StoredRecord& record : scanned.records) {
      if (!IsPage(record) || record.expires_in <= Millis{}) continue;
      MCPS_TRY(const std::optional<StoredRecord> page,
               Patiently([&] { return target_.Find(record.key); }));
      if (page && page->data.starts_with(heading_)) ReadPage(*page, WallNow());
    }
    cursor = std::move(scanned.cursor);
  } while (!cursor.empty());
  return {};
}

void MigrationJournal::ReadPage(const StoredRecord& page, Instant now) {
  pages_.push_back({{page.key, page.version}, now + page.expires_in});
  std::string_view rest = page.data;
  rest.remove_prefix(heading_.size());
  while (!rest.empty()) {
    std::string_view line = TakeUntil('\n', &rest);
    const std::string_view tags = TakeUntil(' ', &line);
    const std::optional<std::int64_t> version = ParseDecimal(TakeUntil(' ', &line));
    const std::optional<std::int64_t> end = ParseDecimal(line);
    if (tags.size() < kTagSize || !version || !end) continue;
    Seen& seen = seen_[std::string(tags)];
    seen.version = std::max(seen.version, static_cast<std::uint64_t>(*version));
    seen.end = seen.written_end = std::max(seen.end, Instant{*end});
  }
}

Result<MigrationJournal::Noted> MigrationJournal::Note(const std::vector<StoredRecord>& records) {
  const Instant now = WallNow();
  Noted noted;
  std::string lines;
  std::size_t count = 0;
  Instant last{0};
  for (const StoredRecord& record : records) {
    if (record.expires_in <= Millis{}) continue;
    const std::string tags = TagsOf(record.key);
    Seen& seen = seen_[tags];
    if (std::exchange(seen.pass, pass_) == pass_) continue;
    ++noted.records;
    const Instant end = now + record.expires_in;
    const std::uint64_t event = record.events.empty() ? 0 : record.events.back().sequence;
    const bool is_new = seen.version < record.version;
    if (is_new || end - seen.end >= kLater || seen.event < event) ++noted.changed;
    seen.version = std::max(seen.version, record.version);
    seen.end = std::max(seen.end, end);
    seen.event = event;
    if (!is_new && end - seen.written_end < kLater) continue;
    seen.written_end = end;
    last = std::max(last, end);
    lines += tags + ' ' + std::to_string(seen.version) + ' ' + std::to_string(end.millis) + '\n';
    if (++count % kLinesOfPage == 0) {
      if (Result<void> written = WritePage(std::exchange(lines, {}), last, now); !written) {
        return tl::unexpected(std::move(written.error()));
      }
    }
  }
  if (lines.empty()) return noted;
  if (Result<void> written = WritePage(std::move(lines), last, now); !written) {
    return tl::unexpected(std::move(written.error()));
  }
  return noted;
}

Result<void> MigrationJournal::WritePage(std::string lines, Instant end, Instant now) {
  StoredRecord page;
  page.version = next_page_++;
  page.key = MakeStoredKey({"", kKind, heading_ + std::to_string(page.version)});
  page.kind = kKind;
  page.data = heading_ + lines;
  page.expires_in = std::min(end - now, kMaxLifetime);
  page.max_life_left = page.expires_in;
  pages_.push_back({{page.key, page.version}, now + page.expires_in});
  MCPS_TRY(const auto imported, Patiently([&] { return target_.Import({page}); }));
  if (imported[0].refused) return tl::unexpected(*imported[0].refused);
  return {};
}

std::vector<StoreAdmin::Ending> MigrationJournal::FindMissed() const {
  const Instant now = WallNow();
  std::vector<StoreAdmin::Ending> missed;
  for (const auto& [tags, seen] : seen_) {
    if (seen.pass < pass_ && now < seen.end) missed.push_back({KeyOf(tags), seen.version});
  }
  return missed;
}

std::uint64_t MigrationJournal::CountPages() const {
  const Instant now = WallNow();
  return static_cast<std::uint64_t>(
      std::count_if(pages_.begin(), pages_.end(), [now](const Page& p) { return now < p.end; }));
}

Result<void> MigrationJournal::Remove() {
  std::vector<StoreAdmin::Ending> endings;
  for (const Page& page : pages_) endings.push_back(page.ending);
  const auto ended = Patiently([&] { return target_.EndUpTo(endings); });
  if (!ended) return tl::unexpected(ended.error());
  pages_.clear();
  return {};
}

}  // namespace mcp_session
