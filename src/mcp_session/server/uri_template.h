// URI templates (RFC 6570), as far as they can be read backwards without doubt: {name} stands for
// text without / ? and #, and {+name}, which may only be the last variable, for any text. Private
// to this folder.
#ifndef MCP_SESSION_SERVER_URI_TEMPLATE_H_
#define MCP_SESSION_SERVER_URI_TEMPLATE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

class UriTemplate {
 public:
  // kInvalidArgument: a brace without its other, other operators or modifiers, a bad name or one
  // used twice, two variables with nothing between them.
  static Result<UriTemplate> Parse(std::string_view text);

  // The variables of `uri`, decoded, as an object of strings; nullopt if it is not of this form. No
  // variable is empty.
  std::optional<Json> Match(std::string_view uri) const;

  bool HasVariable(std::string_view name) const;

 private:
  struct Variable {
    std::string name;
    bool reserved = false;  // {+name}
    std::string after;      // the literal that follows
  };
  std::string before_;  // the literal it begins with
  std::vector<Variable> variables_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_URI_TEMPLATE_H_
