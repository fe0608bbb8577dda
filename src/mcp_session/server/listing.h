// What the lists of features have in common. Private to this folder.
#ifndef MCP_SESSION_SERVER_LISTING_H_
#define MCP_SESSION_SERVER_LISTING_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/json.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

// Members that may be left out: nothing is added for empty text or null.
void AddText(std::string_view member, const std::string& text, Json* described);
void AddMember(std::string_view member, const Json& value, Json* described);

// Answers `call` with `"member":[...]`: the page of `listed` that its cursor names, and the cursor
// of the next (spec P-08). Without PageLists all are on the first.
void AnswerList(McpServer::State& server, const Call& call, std::string_view member,
                const std::vector<std::string>& listed);

// Removes the first of `registered` that `is_it`, and its text from `listed`, which has them in the
// same order. False if there is none.
template <typename Registered, typename IsIt>
bool RemoveListed(const IsIt& is_it, std::vector<Registered>* registered,
                  std::vector<std::string>* listed) {
  const auto found = std::find_if(registered->begin(), registered->end(), is_it);
  if (found == registered->end()) return false;
  listed->erase(listed->begin() + (found - registered->begin()));
  registered->erase(found);
  return true;
}

// How long pages are; takes tools/list, which has none by itself.
class ListPages final : public Feature {
 public:
  static constexpr Name kName = Name::kPages;
  ListPages(McpServer::State& server, std::size_t size_in)
      : Feature(kName), size(size_in), server_(server) {}

  const std::size_t size;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  McpServer::State& server_;
};

// For the era of `call`: how long a list or a content may be kept (spec F-11), as further members
// of a result; nothing in the handshake era.
void AppendCaching(const Call& call, Millis ttl, bool shared, std::string* members);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_LISTING_H_
