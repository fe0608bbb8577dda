#include "mcp_session/server/question.h"

#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/server/content.h"

namespace mcp_session {
namespace {

template <typename T>
void AddOptional(const char* member, const std::optional<T>& value, Json* to) {
  if (value) (*to)[member] = *value;
}

void AddUnlessEmpty(const char* member, const std::string& text, Json* to) {
  if (!text.empty()) (*to)[member] = text;
}

void AddUnlessNull(const char* member, const Json& value, Json* to) {
  if (!value.is_null()) (*to)[member] = value;
}

Json OfType(const char* type) {
  Json schema = EmptyObject();
  schema["type"] = type;
  return schema;
}

// Of a NumberField or an IntegerField.
template <typename Field>
Json NumberSchema(const char* type, const Field& field) {
  Json schema = OfType(type);
  AddOptional("minimum", field.minimum, &schema);
  AddOptional("maximum", field.maximum, &schema);
  AddOptional("default", field.initial, &schema);
  return schema;
}

bool Titled(const std::vector<Choice>& choices) {
  for (const Choice& choice : choices) {
    if (!choice.title.empty()) return true;
  }
  return false;
}

Json Values(const std::vector<Choice>& choices) {
  Json values = EmptyArray();
  for (const Choice& choice : choices) values.push_back(choice.value);
  return values;
}

Json TitledValues(const std::vector<Choice>& choices) {
  Json values = EmptyArray();
  for (const Choice& choice : choices) {
    Json value = EmptyObject();
    value["const"] = choice.value;
    value["title"] = choice.title;
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

Form::Form(std::string message) {
  params["message"] = std::move(message);
  Json& schema = params["requestedSchema"];
  schema["type"] = "object";
  schema["properties"] = EmptyObject();
}

Form& Form::AddProperty(const FormField& field, Json schema) {
  AddUnlessEmpty("title", field.title, &schema);
  AddUnlessEmpty("description", field.description, &schema);
  Json& requested = params["requestedSchema"];
  requested["properties"][field.name] = std::move(schema);
  if (field.required) requested["required"].push_back(field.name);
  return *this;
}

Form& Form::Add(const TextField& field) {
  Json schema = OfType("string");
  AddUnlessEmpty("format", field.format, &schema);
  AddOptional("minLength", field.min_length, &schema);
  AddOptional("maxLength", field.max_length, &schema);
  AddOptional("default", field.initial, &schema);
  return AddProperty(field, std::move(schema));
}

Form& Form::Add(const NumberField& field) {
  return AddProperty(field, NumberSchema("number", field));
}

Form& Form::Add(const IntegerField& field) {
  return AddProperty(field, NumberSchema("integer", field));
}

Form& Form::Add(const BooleanField& field) {
  Json schema = OfType("boolean");
  AddOptional("default", field.initial, &schema);
  return AddProperty(field, std::move(schema));
}

Form& Form::Add(const ChoiceField& field) {
  Json schema = OfType("string");
  if (!Titled(field.choices)) {
    schema["enum"] = Values(field.choices);
  } else if (!field.legacy_titles) {
    schema["oneOf"] = TitledValues(field.choices);
  } else {
    schema["enum"] = Values(field.choices);
    Json& names = schema["enumNames"] = EmptyArray();
    for (const Choice& choice : field.choices) names.push_back(choice.title);
  }
  AddOptional("default", field.initial, &schema);
  return AddProperty(field, std::move(schema));
}

Form& Form::Add(const ChoicesField& field) {
  Json schema = OfType("array");
  AddOptional("minItems", field.min_items, &schema);
  AddOptional("maxItems", field.max_items, &schema);
  if (Titled(field.choices)) {
    schema["items"]["anyOf"] = TitledValues(field.choices);
  } else {
    schema["items"]["type"] = "string";
    schema["items"]["enum"] = Values(field.choices);
  }
  for (const std::string& value : field.initial) schema["default"].push_back(value);
  return AddProperty(field, std::move(schema));
}

Question UrlVisit(std::string message, std::string url) {
  Question question{Question::Kind::kUrl};
  question.params["mode"] = "url";
  question.params["message"] = std::move(message);
  question.params["url"] = std::move(url);
  return question;
}

const Json* AcceptedContent(const Json& answer) {
  const std::string* action = FindString(answer, "action");
  return action != nullptr && *action == "accept" ? FindObject(answer, "content") : nullptr;
}

void Sampling::AddUser(Json content) {
  messages.push_back(ModelMessage("user", std::move(content)));
}

void Sampling::AddAssistant(Json content) {
  messages.push_back(ModelMessage("assistant", std::move(content)));
}

Question Sample(const Sampling& sampling) {
  Question question{Question::Kind::kSampling};
  Json& params = question.params;
  params["messages"] = sampling.messages;
  AddUnlessNull("modelPreferences", sampling.model_preferences, &params);
  AddUnlessEmpty("systemPrompt", sampling.system_prompt, &params);
  AddUnlessEmpty("includeContext", sampling.include_context, &params);
  AddOptional("temperature", sampling.temperature, &params);
  params["maxTokens"] = sampling.max_tokens;
  for (const std::string& stop : sampling.stop_sequences) params["stopSequences"].push_back(stop);
  AddUnlessNull("metadata", sampling.metadata, &params);
  AddUnlessNull("tools", sampling.tools, &params);
  AddUnlessNull("toolChoice", sampling.tool_choice, &params);
  return question;
}

Question ListRoots() { return Question{Question::Kind::kRoots}; }

}  // namespace mcp_session
