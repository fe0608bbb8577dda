#include "mcp_session/sqlite/readers.h"

#include <variant>

#include "mcp_session/stored/stored_key.h"

namespace mcp_session::sqlite {

void WaitingReaders::Add(Task task) {
  const WaitId id = task.wait;
  const auto& read = std::get<store::ReadEvents>(task.command.get());
  std::string tag = MakeStoredKey(read.key).record_tag;
  by_record_[tag].insert(id);
  tasks_.emplace(id, Waiting{std::move(task), std::move(tag)});
}

Task WaitingReaders::Remove(std::map<WaitId, Waiting>::iterator at) {
  const auto record = by_record_.find(at->second.record_tag);
  record->second.erase(at->first);
  if (record->second.empty()) by_record_.erase(record);
  Task task = std::move(at->second.task);
  tasks_.erase(at);
  return task;
}

std::vector<Task> WaitingReaders::Take(std::string_view record_tag) {
  std::vector<Task> taken;
  const auto record = by_record_.find(std::string(record_tag));
  if (record == by_record_.end()) return taken;
  const std::set<WaitId> ids = record->second;
  for (const WaitId& id : ids) taken.push_back(Remove(tasks_.find(id)));
  return taken;
}

std::vector<Task> WaitingReaders::TakeDue(Instant now) {
  std::vector<Task> taken;
  while (!tasks_.empty() && tasks_.begin()->first.deadline <= now) {
    taken.push_back(Remove(tasks_.begin()));
  }
  return taken;
}

std::vector<Task> WaitingReaders::TakeAll() {
  std::vector<Task> taken;
  while (!tasks_.empty()) taken.push_back(Remove(tasks_.begin()));
  return taken;
}

}  // namespace mcp_session::sqlite
