// What the engine has only for those who ask for it: extensions of the protocol, calls that go on
// after their answer, reading ahead.
#include <string>
#include <string_view>

#include "mcp_session/session/server_state.h"

namespace mcp_session {

void ServerEngine::AddExtension(std::string_view name) {
  std::string& extensions = state_->extensions;
  if (!extensions.empty()) extensions += ',';
  extensions += '"';
  extensions += name;
  extensions += "\":{}";
}

void ServerEngine::HearLate(LateAnswers& late) { state_->late = &late; }

void ServerEngine::ReadFirst(const ReadsAhead& reader) { state_->reads_ahead = &reader; }

CallId ServerEngine::DrawCallId() {
  const CallId id{state_->calls.Insert(OpenCall{})};
  state_->calls.Take(id.number);
  return id;
}

}  // namespace mcp_session
