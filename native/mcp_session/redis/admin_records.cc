// How RedisAdmin reads and writes whole records, many at once.
#include <algorithm>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/admin_state.h"
#include "mcp_session/redis/stored_events.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {

RedisAdmin::State::Question RedisAdmin::State::AboutIndex(const std::string& owner_tag) const {
  Question question{.key = RedisIndexKey(options_.prefix, owner_tag)};
  AppendRedisCommand(&question.bytes, {"ZRANGE", question.key, "0", "-1", "WITHSCORES"});
  return question;
}

RedisAdmin::State::Index RedisAdmin::State::ReadIndex(const RedisReply& reply) {
  Index index;
  const std::vector<RedisReply>& words = reply.elements;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    IndexMember member;
    if (!ParseIndexMember(words[i].text, &member)) continue;
    index[std::string(member.tag)] = {
        words[i].text, static_cast<std::uint64_t>(ParseDecimal(words[i + 1].text).value_or(0))};
  }
  return index;
}

RedisAdmin::State::Question RedisAdmin::State::AboutRecord(const StoredKey& key, bool whole) const {
  const RedisKeys keys(options_.prefix, key);
  const std::string header_and_kind = std::to_string(kRecordHeaderSize + kMaxKeyPartBytes - 1);
  Question question{.key = keys.record(), .replies = whole ? 4u : 3u};
  AppendRedisCommand(&question.bytes, {"TIME"});
  AppendRedisCommand(&question.bytes, {"STRLEN", keys.record()});
  AppendRedisCommand(&question.bytes,
                     {"GETRANGE", keys.record(), "0", whole ? "-1" : header_and_kind.c_str()});
  if (whole) AppendRedisCommand(&question.bytes, {"XRANGE", keys.stream(), "-", "+"});
  return question;
}

RedisAdmin::State::Found RedisAdmin::State::ReadRecord(const StoredKey& key, bool whole,
                                                       const Replies& replies) {
  Found answer;
  const std::string& value = replies[2].text;
  if (value.empty()) return answer;
  const std::optional<RedisRecordHeader> header = DecodeRedisHeader(value, key.record_tag);
  const std::optional<RedisRecord> record = DecodeRedisRecord(value, key.record_tag);
  const std::optional<std::int64_t> now = RedisMillis(replies[0]);
  if (!header || (whole && !record) || !now) return {.corrupt = true};
  answer.data_bytes =
      static_cast<std::size_t>(replies[1].integer) - kRecordHeaderSize - header->kind_size;
  StoredRecord& found = answer.record.emplace();
  found.key = key;
  found.kind = value.substr(kRecordHeaderSize, header->kind_size);
  found.version = header->version;
  found.write_id = header->write_id;
  found.fence = header->fence;
  found.remember = header->remember;
  found.expires_in = Millis{header->end - *now};
  if (header->idle_ttl > Millis{}) found.idle_ttl = header->idle_ttl;
  if (header->last_end != kNoLastEnd) found.max_life_left = Millis{header->last_end - *now};
  if (!whole) return answer;
  found.data = record->data;
  for (const RedisReply& entry : replies[3].elements) {
    found.events.push_back(
        {SequenceOfEvent(entry), std::make_shared<const std::string>(DataOfEvent(entry))});
  }
  return answer;
}

Result<std::vector<RedisAdmin::State::Found>> RedisAdmin::State::Read(
    const std::vector<StoredKey>& keys, bool whole) {
  std::vector<Question> questions;
  for (const StoredKey& key : keys) questions.push_back(AboutRecord(key, whole));
  // The indexes come after the records: what has a record by then is in its owner's index.
  std::map<std::string, std::size_t> asked;  // where the question about an owner's index is
  for (const StoredKey& key : keys) {
    if (key.owner_tag.empty() || !asked.emplace(key.owner_tag, questions.size()).second) continue;
    questions.push_back(AboutIndex(key.owner_tag));
  }
  const std::vector<Result<Replies>> answers = AskKeys(std::move(questions));
  std::map<std::string, Index> indexes;
  for (const auto& [owner_tag, place] : asked) {
    if (answers[place]) {
      indexes[owner_tag] = ReadIndex((*answers[place])[0]);
    } else if (answers[place].error().code != ErrorCode::kCorrupt) {
      return tl::unexpected(answers[place].error());
    }
  }
  std::vector<Found> all;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!answers[i] && answers[i].error().code != ErrorCode::kCorrupt) {
      return tl::unexpected(answers[i].error());
    }
    all.push_back(answers[i] ? ReadRecord(keys[i], whole, *answers[i]) : Found{.corrupt = true});
    if (!all.back().record || keys[i].owner_tag.empty()) continue;
    const Index& index = indexes[keys[i].owner_tag];
    const auto place = index.find(keys[i].record_tag);
    IndexMember member;
    if (place == index.end() || !ParseIndexMember(place->second.member, &member)) continue;
    all.back().record->id = member.id;
    all.back().record->order = place->second.order;
  }
  return all;
}

Result<RedisAdmin::State::Question> RedisAdmin::State::PlanImport(
    const StoredRecord& record) const {
  const bool owned = !record.key.owner_tag.empty();
  if (!IsKey(record.key) || record.kind.empty() || record.kind.size() > kMaxKeyPartBytes ||
      record.id.empty() != !owned || record.id.size() > kMaxKeyPartBytes) {
    return Refuse("a record that cannot be");
  }
  if (record.data.size() > options_.max_record_bytes) {
    return Failure(ErrorCode::kTooLarge, Blame::kCaller, "redis: the record is too large");
  }
  const RedisKeys keys(options_.prefix, record.key);
  const RedisBody body(record.kind, record.data);
  const auto text = [](std::int64_t number) { return std::to_string(number); };
  const std::int64_t life_left =
      record.max_life_left ? std::max<std::int64_t>(record.max_life_left->count, 0) : -1;
  std::vector<std::string> words = {
      record.key.record_tag,
      Digits16(record.version),
      text(record.idle_ttl.value_or(Millis{0}).count),
      text(life_left),
      text(record.remember.count),
      text(record.expires_in.count),
      Digits16(record.fence),
      Hex16(record.write_id),
      body.checksum,
      body.kind_size,
      body.bytes,
      std::string(body.padded),
      MakeIndexMember(keys, record.kind, record.id),
      owned ? Digits16(record.order) : "",
      /*most of the owner=*/"",
      /*move=*/"0",
      record.events.empty() ? "" : std::to_string(record.events[0].sequence)};
  for (const StreamEvent& event : record.events) {
    words.push_back(std::to_string(event.sequence));
    words.push_back(*event.data);
  }
  std::vector<std::string> names = {keys.record(), keys.stream(), keys.lock()};
  if (owned) names.push_back(keys.index());
  Question question{.key = keys.record()};
  AppendRedisScript(&question.bytes, RedisScriptName::kImport,
                    std::vector<std::string_view>(names.begin(), names.end()),
                    std::vector<std::string_view>(words.begin(), words.end()));
  return question;
}

Result<std::vector<StoreAdmin::Imported>> RedisAdmin::State::Import(
    const std::vector<StoredRecord>& records) {
  std::vector<Imported> imported(records.size());
  std::vector<Question> questions;
  std::vector<std::size_t> places;  // of the records that are asked to be written
  for (std::size_t i = 0; i < records.size(); ++i) {
    Result<Question> plan = PlanImport(records[i]);
    if (!plan) {
      imported[i].refused = std::move(plan.error());
      continue;
    }
    questions.push_back(std::move(*plan));
    places.push_back(i);
  }
  const std::vector<Result<Replies>> answers = AskKeys(std::move(questions));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Imported& one = imported[places[i]];
    if (!answers[i] && answers[i].error().code != ErrorCode::kCorrupt) {
      return tl::unexpected(answers[i].error());
    }
    const std::string_view status = answers[i] ? RedisAnswer((*answers[i])[0]).status() : "corrupt";
    one.imported = status == "ok" || status == "expired";
    if (status == "corrupt") one.refused = Corrupt().value();
  }
  return imported;
}

RedisAdmin::State::Question RedisAdmin::State::PlanEnd(const StoredKey& key,
                                                       std::string_view expected,
                                                       std::string_view member) const {
  const RedisKeys keys(options_.prefix, key);
  std::vector<std::string> names = {keys.record(), keys.stream()};
  if (!keys.index().empty()) names.push_back(keys.index());
  const std::string channel = keys.channel();
  Question question{.key = keys.record()};
  AppendRedisScript(
      &question.bytes, RedisScriptName::kEnd,
      std::vector<std::string_view>(names.begin(), names.end()),
      std::initializer_list<std::string_view>{key.record_tag, expected, "0", member, channel, "0"});
  return question;
}

Result<std::uint64_t> RedisAdmin::State::EndUpTo(const std::vector<Ending>& endings) {
  std::vector<StoredKey> keys;
  for (const Ending& ending : endings) {
    if (!IsKey(ending.key)) return Refuse("no such tag");
    keys.push_back(ending.key);
  }
  MCPS_TRY(const std::vector<Found> found, Read(keys, /*whole=*/false));
  std::vector<Question> questions;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::optional<StoredRecord>& record = found[i].record;
    if (!record || record->expires_in <= Millis{} || record->version > endings[i].version) continue;
    const RedisKeys names(options_.prefix, keys[i]);
    questions.push_back(PlanEnd(keys[i], Digits16(record->version),
                                MakeIndexMember(names, record->kind, record->id)));
  }
  std::uint64_t ended = 0;
  for (const Result<Replies>& answer : AskKeys(std::move(questions))) {
    if (!answer && answer.error().code == ErrorCode::kCorrupt) continue;
    if (!answer) return tl::unexpected(answer.error());
    if (RedisAnswer((*answer)[0]).status() == "ok") ++ended;
  }
  return ended;
}

}  // namespace mcp_session
