// What a handler can ask of the client that called it: of its user (elicitation), of its model
// (sampling), of itself (roots). asking_call.h says how.
#ifndef MCP_SESSION_SERVER_QUESTION_H_
#define MCP_SESSION_SERVER_QUESTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/json.h"

namespace mcp_session {

struct Question {
  enum class Kind : std::uint8_t { kForm, kUrl, kSampling, kRoots };
  Kind kind = Kind::kForm;
  Json params = EmptyObject();  // of the request that the client gets
};

// --- the user ---

// What the fields of a form have in common. A field that is required is in every accepted answer.
struct FormField {
  std::string name;
  std::string title;        // optional
  std::string description;  // optional
  bool required = true;
};
struct TextField : FormField {
  std::string format;  // optional: email, uri, date or date-time, for the client; not checked
  std::optional<std::int64_t> min_length;  // in characters
  std::optional<std::int64_t> max_length;
  std::optional<std::string> initial;
};
struct NumberField : FormField {
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<double> initial;
};
struct IntegerField : FormField {
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::optional<std::int64_t> initial;
};
struct BooleanField : FormField {
  std::optional<bool> initial;
};
struct Choice {
  std::string value;
  std::string title;  // what the user sees; of one form either all have it or none
};
// One of several.
struct ChoiceField : FormField {
  std::vector<Choice> choices;
  // Titles as clients before 2025-11-25 read them (enumNames).
  bool legacy_titles = false;
  std::optional<std::string> initial;
};
// Some of several.
struct ChoicesField : FormField {
  std::vector<Choice> choices;
  std::optional<std::int64_t> min_items;
  std::optional<std::int64_t> max_items;
  std::vector<std::string> initial;  // empty: none
};

// A form for the user to fill in (spec G-03). Never for passwords, keys or the like: that is what
// UrlVisit is for.
class Form : public Question {
 public:
  explicit Form(std::string message);
  Form& Add(const TextField& field);
  Form& Add(const NumberField& field);
  Form& Add(const IntegerField& field);
  Form& Add(const BooleanField& field);
  Form& Add(const ChoiceField& field);
  Form& Add(const ChoicesField& field);

 private:
  Form& AddProperty(const FormField& field, Json schema);
};

// A page for the user to open (spec G-04). An answer with the action "accept" says that the user
// agreed to, not that all is done there. `url` has nothing of the user in it and is not logged in
// already; the page itself finds out that who opens it is who called.
Question UrlVisit(std::string message, std::string url);

// Both are answered with {"action": "accept", "decline" or "cancel"}, and an accepted form with a
// "content" that has the fields. This is the content; null if the user did not accept.
const Json* AcceptedContent(const Json& answer);

// --- the model, the client ---

// A message of a model's (spec G-08), answered with {"role", "content", "model", "stopReason"?}.
struct Sampling {
  Json messages = EmptyArray();  // as AddUser and AddAssistant append them
  std::int64_t max_tokens = 1000;
  std::string system_prompt;  // optional
  std::optional<double> temperature;
  std::vector<std::string> stop_sequences;
  Json model_preferences;  // null: none
  std::string
      include_context;  // optional; thisServer, allServers: of clients with sampling.context
  Json metadata;        // null: none
  Json tools;           // null: none; of clients with sampling.tools
  Json tool_choice;     // null: none

  // `content` is one block of content.h, or an array of them.
  void AddUser(Json content);
  void AddAssistant(Json content);
};
Question Sample(const Sampling& sampling);

// The folders that the client works in (spec G-09), answered with {"roots":[{"uri", "name"?}]}.
Question ListRoots();

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_QUESTION_H_
