#include "mcp_session/sqlite/task.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include "mcp_session/store/rules.h"

namespace mcp_session::sqlite {
namespace {

// The views of a command; of a Regenerate there are six.
using Views = std::array<std::string_view*, 6>;

Views ViewsOf(store::Regenerate& command) {
  return {&command.from.owner, &command.from.kind, &command.from.id,
          &command.to.owner,   &command.to.kind,   &command.to.id};
}
Views ViewsOf(store::RemoveOwned& command) { return {&command.owner}; }
Views ViewsOf(store::List& command) { return {&command.owner, &command.kind, &command.cursor}; }
template <typename Command>
Views ViewsOf(Command& command) {
  return {&command.key.owner, &command.key.kind, &command.key.id};
}

}  // namespace

OwnedCommand::OwnedCommand(StoreCommand command) : command_(std::move(command)) {
  const Views views = std::visit([](auto& concrete) { return ViewsOf(concrete); }, command_);
  std::size_t size = 0;
  for (std::string_view* view : views) {
    if (view == nullptr) continue;
    *view = view->substr(0, kMaxKeyPartBytes + 1);
    size += view->size();
  }
  bytes_ = std::make_unique<char[]>(size);
  char* at = bytes_.get();
  for (std::string_view* view : views) {
    if (view == nullptr) continue;
    const char* const end = std::copy(view->begin(), view->end(), at);
    *view = std::string_view(at, view->size());
    at += end - at;
  }
}

std::shared_ptr<const std::string> OwnedCommand::TakeData() {
  if (auto* create = std::get_if<store::Create>(&command_)) {
    return std::make_shared<const std::string>(std::move(create->data));
  }
  if (auto* put = std::get_if<store::Put>(&command_)) {
    return std::make_shared<const std::string>(std::move(put->data));
  }
  return nullptr;
}

}  // namespace mcp_session::sqlite
