#include "mcp_session/cli/sessions.h"

#include <cinttypes>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "mcp_session/cli/exit.h"
#include "mcp_session/factory/open_admin.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

constexpr std::size_t kPageRecords = 500;
constexpr std::size_t kShownTag = 12;  // characters of a tag in a list
constexpr std::size_t kMaxNamed = 5;   // records that a tag is said to fit

// 90061000 ms as "1d 1h", 5000 as "5s": the two largest units.
std::string InWords(Millis time) {
  const std::int64_t seconds = time.count / 1000;
  if (time.count <= 0) return "over";
  if (seconds == 0) return std::to_string(time.count) + "ms";
  const std::pair<std::int64_t, const char*> units[] = {
      {86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}};
  std::string words;
  std::int64_t left = seconds;
  int shown = 0;
  for (const auto& [length, unit] : units) {
    if (left < length || shown == 2) continue;
    words += (shown++ > 0 ? " " : "") + std::to_string(left / length) + unit;
    left %= length;
  }
  return words;
}

// What there is to tell of a record. No id is in it.
struct Row {
  StoredRecord record;
  std::size_t bytes = 0;
};

std::string OwnerOf(const StoredRecord& record) {
  return record.key.owner_tag.empty() ? "-" : record.key.owner_tag.substr(0, kShownTag);
}

void AppendMember(std::string_view name, std::int64_t value, std::string* out) {
  out->append(",\"").append(name).append("\":");
  AppendInteger(value, out);
}

void AppendMember(std::string_view name, std::string_view value, std::string* out) {
  out->append(",\"").append(name).append("\":");
  if (!AppendJsonString(value, out)) *out += "\"\"";
}

std::string ToJson(const Row& row, bool whole) {
  const StoredRecord& record = row.record;
  std::string text = "{\"tag\":\"" + record.key.record_tag + "\"";
  AppendMember("kind", record.kind, &text);
  if (!record.key.owner_tag.empty()) AppendMember("owner", record.key.owner_tag, &text);
  AppendMember("bytes", static_cast<std::int64_t>(row.bytes), &text);
  AppendMember("version", static_cast<std::int64_t>(record.version), &text);
  AppendMember("expiresInMs", record.expires_in.count, &text);
  if (record.idle_ttl) AppendMember("idleTtlMs", record.idle_ttl->count, &text);
  if (record.max_life_left) AppendMember("maxLifeLeftMs", record.max_life_left->count, &text);
  if (whole) {
    AppendMember("rememberMs", record.remember.count, &text);
    AppendMember("fence", static_cast<std::int64_t>(record.fence), &text);
    AppendMember("events", static_cast<std::int64_t>(record.events.size()), &text);
  }
  return text + "}";
}

// Calls `visit` for every record of the store, once for each; it says whether to go on.
Result<void> ForEach(StoreAdmin& admin, const std::function<bool(const Row& row)>& visit) {
  std::unordered_set<std::string> seen;
  std::string cursor;
  do {
    MCPS_TRY(StoreAdmin::Page page, admin.Scan(cursor, kPageRecords, /*whole=*/false));
    for (std::size_t i = 0; i < page.records.size(); ++i) {
      StoredRecord& record = page.records[i];
      if (!seen.insert(record.key.owner_tag + record.key.record_tag).second) continue;
      if (!visit(Row{std::move(record), page.data_bytes[i]})) return {};
    }
    cursor = std::move(page.cursor);
  } while (!cursor.empty());
  return {};
}

int List(StoreAdmin& admin, const SessionsOptions& options) {
  std::uint64_t count = 0;
  if (options.json) {
    std::fputs("[", stdout);
  } else {
    std::printf("%-12s  %-12s  %-16s  %9s  %s\n", "TAG", "OWNER", "KIND", "BYTES", "ENDS IN");
  }
  const Result<void> listed = ForEach(admin, [&](const Row& row) {
    const StoredRecord& record = row.record;
    if (!options.kind.empty() && record.kind != options.kind) return true;
    if (options.json) {
      std::printf("%s\n%s", count == 0 ? "" : ",", ToJson(row, false).c_str());
    } else {
      std::printf("%-12s  %-12s  %-16s  %9zu  %s\n",
                  record.key.record_tag.substr(0, kShownTag).c_str(), OwnerOf(record).c_str(),
                  record.kind.c_str(), row.bytes, InWords(record.expires_in).c_str());
    }
    ++count;
    return true;
  });
  if (options.json) std::fputs("\n]\n", stdout);
  if (!listed) return Complain(listed.error());
  if (!options.json) std::printf("%" PRIu64 " record%s\n", count, count == 1 ? "" : "s");
  return kSucceeded;
}

// The one record whose tag begins so; else the complaint is made.
std::optional<StoredKey> FindByTag(StoreAdmin& admin, const std::string& tag, int* code) {
  std::vector<StoredKey> found;
  const Result<void> looked = ForEach(admin, [&](const Row& row) {
    if (row.record.key.record_tag.starts_with(tag)) found.push_back(row.record.key);
    return found.size() < kMaxNamed;
  });
  *code = kFailed;
  if (!looked) {
    *code = Complain(looked.error());
  } else if (found.empty()) {
    LogLine("there is no record whose tag begins with " + tag);
  } else if (found.size() > 1) {
    std::string line = "more than one tag begins with " + tag + ":";
    for (const StoredKey& key : found) line += ' ' + key.record_tag;
    LogLine(line);
  } else {
    return found[0];
  }
  return std::nullopt;
}

void Print(const Row& row) {
  const StoredRecord& record = row.record;
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-10s %s\n", name, value.c_str());
  };
  line("tag", record.key.record_tag);
  line("owner", record.key.owner_tag.empty() ? "anonymous" : record.key.owner_tag);
  line("kind", record.kind);
  line("bytes", std::to_string(row.bytes));
  line("version", std::to_string(record.version));
  line("fence", std::to_string(record.fence));
  line("ends in", InWords(record.expires_in));
  line("idle", record.idle_ttl ? "ends when unused for " + InWords(*record.idle_ttl) : "-");
  line("at most", record.max_life_left ? InWords(*record.max_life_left) + " more" : "-");
  line("remembered",
       record.remember > Millis{} ? InWords(record.remember) + " after its end" : "-");
  line("events", std::to_string(record.events.size()));
}

int Show(StoreAdmin& admin, const SessionsOptions& options) {
  int code = kFailed;
  const std::optional<StoredKey> key = FindByTag(admin, options.tag, &code);
  if (!key) return code;
  Result<std::optional<StoredRecord>> found = admin.Find(*key);
  if (!found) return Complain(found.error());
  if (!*found) {
    LogLine("the record has ended in this moment");
    return kFailed;
  }
  const std::size_t bytes = (*found)->data.size();
  const Row row{std::move(**found), bytes};
  if (options.json) {
    std::printf("%s\n", ToJson(row, true).c_str());
  } else {
    Print(row);
  }
  return kSucceeded;
}

int End(StoreAdmin& admin, const SessionsOptions& options) {
  int code = kFailed;
  const std::optional<StoredKey> key = FindByTag(admin, options.tag, &code);
  if (!key) return code;
  const Result<bool> ended = admin.End(*key);
  if (!ended) return Complain(ended.error());
  if (options.json) {
    std::printf("{\"tag\":\"%s\",\"ended\":%s}\n", key->record_tag.c_str(),
                *ended ? "true" : "false");
  } else {
    std::printf("%s %s\n", key->record_tag.c_str(), *ended ? "is ended" : "had ended before");
  }
  return kSucceeded;
}

}  // namespace

int Sessions(const SessionsOptions& options) {
  const auto admin = OpenStoreAdmin(options.store, AdminOptions(options.prefix), /*create=*/false);
  if (!admin) return Complain(admin.error());
  switch (options.action) {
    case SessionsOptions::Action::kList:
      return List(**admin, options);
    case SessionsOptions::Action::kShow:
      return Show(**admin, options);
    case SessionsOptions::Action::kEnd:
      return End(**admin, options);
  }
  return kUsageError;
}

}  // namespace mcp_session
