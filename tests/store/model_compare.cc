// What a store answered against what the model did.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>

#include "tests/store/matchers.h"
#include "tests/store/model_run.h"

namespace mcp_session {

std::string ModelRun::Compare(const ModelKey& key, const StoreReply& reply, ModelReply model) {
  std::ostringstream text;
  const bool is_forgotten = model.or_not_found && reply.error == ErrorCode::kNotFound;
  if (reply.error != model.error && !is_forgotten) text << "another outcome; ";
  if (reply.removed != model.removed) text << "another number removed; ";
  if (reply.cursor.empty() != (model.listed_up_to == 0)) text << "the list ends elsewhere; ";

  const ModelRecord* record = model.taken ? &*model.taken : model.record;
  if ((reply.record.data != nullptr) != (record != nullptr)) {
    text << "no record or one; ";
  } else if (record != nullptr) {
    if (text.str().empty()) CompareVersion(key, reply.record, model, text);
    CompareRecord(reply.record, *record, text);
  }
  if (reply.listed.size() != model.listed.size()) text << "listed another number; ";
  for (std::size_t i = 0; i < std::min(reply.listed.size(), model.listed.size()); ++i) {
    if (reply.listed[i].id != model.listed[i].first) text << "listed another id; ";
    CompareRecord(reply.listed[i], model.listed[i].second, text);
  }
  if (model.lock != nullptr && reply.error == model.error) CompareLock(key, reply, model, text);
  if (model.appended != nullptr && !reply.error) {
    CompareSequence(key, reply.sequence, *model.appended, text);
  }
  CompareEvents(reply, model, text);
  if (text.str().empty()) return "";
  text << "the store answered " << testing::PrintToString(reply) << ", the model "
       << (model.error ? CodeName(*model.error) : "done");
  if (record != nullptr) text << ", version " << record->version;
  return text.str();
}

// Writes down the version that the store gave to what was written.
void ModelRun::CompareVersion(const ModelKey& key, const Record& record, ModelReply& model,
                              std::ostream& text) {
  if (!model.is_written) return;
  std::vector<std::uint64_t>& versions = versions_[key];
  if (!versions.empty() && record.version <= versions.back()) text << "a version came back; ";
  if (record.version <= model.record->version) text << "the version did not grow; ";
  model.record->version = record.version;
  versions.push_back(record.version);
}

void ModelRun::CompareRecord(const Record& record, const ModelRecord& model,
                             std::ostream& text) const {
  if (record.data == nullptr || *record.data != model.data) text << "other data; ";
  if (record.version != model.version) text << "another version; ";
  CompareEnd(record.expires_in, model.End(), text);
  if (record.max_life_left.has_value() != model.lifetime.max_life.has_value()) {
    text << "a max_life or none; ";
  } else if (record.max_life_left) {
    CompareEnd(*record.max_life_left, model.created + *model.lifetime.max_life, text);
  }
}

// Writes down the token that the store gave.
void ModelRun::CompareLock(const ModelKey& key, const StoreReply& reply, ModelReply& model,
                           std::ostream& text) {
  if (reply.error || !model.is_granted) CompareEnd(reply.record.expires_in, model.lock->end, text);
  if (reply.error) return;
  if (!model.is_granted) {
    if (reply.fence != model.lock->token) text << "another token; ";
    return;
  }
  std::vector<std::uint64_t>& tokens = tokens_[key];
  if (reply.fence == 0 || (!tokens.empty() && reply.fence <= tokens.back())) {
    text << "a token came back; ";
  }
  tokens.push_back(reply.fence);
  model.lock->token = reply.fence;
  ModelRecord* record = model_.Find(key);
  if (record == nullptr) return;
  if (reply.fence <= record->fence) text << "the token is older than one the record knows; ";
  record->fence = reply.fence;
  record->fence_is_sure = true;
}

// Writes down the sequence that the store gave.
void ModelRun::CompareSequence(const ModelKey& key, std::uint64_t sequence, ModelStream& stream,
                               std::ostream& text) {
  std::uint64_t& highest = highest_sequence_[key];
  if (stream.started ? sequence != stream.last + 1 : sequence <= highest) {
    text << "a sequence came back, or one was left out; ";
  }
  if (!stream.started) stream.base = sequence - 1;
  stream.started = true;
  stream.last = sequence;
  stream.kept.back().sequence = sequence;
  highest = std::max(highest, sequence);
}

void ModelRun::CompareEvents(const StoreReply& reply, const ModelReply& model,
                             std::ostream& text) const {
  const bool same = std::equal(reply.events.begin(), reply.events.end(), model.events.begin(),
                               model.events.end(), [](const auto& event, const auto& expected) {
                                 return event.sequence == expected.sequence &&
                                        event.data != nullptr && *event.data == expected.data;
                               });
  if (!same) text << "other events; ";
  if (model.sequence && reply.sequence != *model.sequence) text << "a gap up to elsewhere; ";
}

void ModelRun::CompareEnd(Millis said, Instant end, std::ostream& text) const {
  const Millis left = end - model_.now();
  const std::int64_t slack =
      backend_.has_manual_clock ? 0 : backend_.backend.tolerance.count + longest_.count;
  if (std::abs(said.count - left.count) > slack) {
    text << "another end than in " << left.count << " ms; ";
  }
}

std::string ModelRun::CompareLate(const StoreReply& reply) {
  const auto at = waiting_.find(reply.ticket.number);
  if (at == waiting_.end()) return "a reply nobody waited for: " + testing::PrintToString(reply);
  const Waiting waiting = at->second;
  waiting_.erase(at);
  const bool is_over = waiting.deadline <= model_.now();
  if (HasEnded(waiting)) {
    const bool found_none =
        reply.error == ErrorCode::kNotFound || reply.error == ErrorCode::kExpired;
    return found_none || is_over ? "" : "a wait ended before its time; ";
  }
  const ModelReply model = model_.ReadEvents(waiting.key, waiting.after, waiting.limit);
  if (model.events.empty() && !model.error && !is_over) return "a wait ended before its time; ";
  return Compare(waiting.key, reply, model);
}

std::string ModelRun::FindOverdue(bool ticked) {
  for (const auto& [ticket, waiting] : waiting_) {
    if (ticked && waiting.deadline <= model_.now()) return "a wait did not end; ";
    if (HasEnded(waiting)) continue;
    const ModelReply model = model_.ReadEvents(waiting.key, waiting.after, waiting.limit);
    if (model.error || !model.events.empty()) return "a read still waits; ";
  }
  return "";
}

bool ModelRun::HasEnded(const Waiting& waiting) {
  const ModelRecord* record = model_.Find(waiting.key);
  return record == nullptr || record->order != waiting.order;
}

}  // namespace mcp_session
