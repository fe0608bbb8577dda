#include "mcp_session/server/completion.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/completions.h"
#include "mcp_session/server/prompts.h"
#include "mcp_session/server/resources.h"

namespace mcp_session {

struct CompletionCall::State : HandlerCall::State {
  using HandlerCall::State::State;
  std::shared_ptr<const RegisteredCompletion> completion;
  std::string typed;
  Json arguments;
  Result<CompletionResult> result;
};

namespace {

constexpr std::size_t kMaxValues = 100;  // F-09

}  // namespace

CompletionResult CompletionResult::StartingWith(std::string_view typed,
                                                const std::vector<std::string>& candidates) {
  CompletionResult result;
  for (const std::string& candidate : candidates) {
    if (std::string_view(candidate).substr(0, typed.size()) == typed) {
      result.values.push_back(candidate);
    }
  }
  result.total = static_cast<std::int64_t>(result.values.size());
  return result;
}

CompletionCall::CompletionCall(std::shared_ptr<HandlerCall::State> state)
    : HandlerCall(std::move(state)) {}

CompletionCall::State& CompletionCall::own() const { return static_cast<State&>(*state_); }

const std::string& CompletionCall::typed() const { return own().typed; }

std::string CompletionCall::Argument(std::string_view name) const {
  return StringOrEmpty(own().arguments, name);
}

void CompletionCall::Reply(Result<CompletionResult> result) {
  if (!state_->running) return;
  own().result = std::move(result);
  Answered();
}

Result<void> McpServer::RegisterCompletion(CompletionTarget target, CompletionHandler handler) {
  return state_->Register<Completions>(std::move(target), std::move(handler));
}

Result<void> Completions::Register(CompletionTarget target, CompletionHandler handler) {
  if (target.prompt.empty() == target.uri_template.empty()) {
    return Refuse("a completion is for a prompt or for a template");
  }
  if (!IsThere(target)) return Refuse("no such prompt or template, or not with this argument");
  if (FindCompletion(target)) return Refuse("a completion of this argument is registered");
  completions_.push_back(std::make_shared<const RegisteredCompletion>(
      RegisteredCompletion{std::move(target), std::move(handler)}));
  return {};
}

void Completions::RemoveOf(std::string_view prompt, std::string_view uri_template) {
  std::erase_if(completions_, [&](const auto& completion) {
    const CompletionTarget& target = completion->target;
    return target.prompt == prompt && target.uri_template == uri_template;
  });
}

// Whether the prompt or template is registered and has the argument.
bool Completions::IsThere(const CompletionTarget& target) const {
  if (target.prompt.empty()) {
    const auto* resources = server_.Find<Resources>();
    const UriTemplate* form =
        resources != nullptr ? resources->FindTemplate(target.uri_template) : nullptr;
    return form != nullptr && form->HasVariable(target.argument);
  }
  const auto* prompts = server_.Find<Prompts>();
  const auto prompt = prompts != nullptr ? prompts->FindPrompt(target.prompt) : nullptr;
  if (prompt == nullptr) return false;
  const auto& arguments = prompt->prompt.arguments;
  return std::any_of(arguments.begin(), arguments.end(), [&](const PromptArgument& argument) {
    return argument.name == target.argument;
  });
}

std::shared_ptr<const RegisteredCompletion> Completions::FindCompletion(
    const CompletionTarget& target) const {
  for (const auto& completion : completions_) {
    const CompletionTarget& other = completion->target;
    if (other.prompt == target.prompt && other.uri_template == target.uri_template &&
        other.argument == target.argument) {
      return completion;
    }
  }
  return nullptr;
}

bool Completions::HandleCall(Call& call) {
  if (call.method != "completion/complete") return false;
  Complete(std::move(call));
  return true;
}

void Completions::Complete(Call call) {
  const auto refuse = [&](const char* why) {
    server_.engine.Fail(call.id, ErrorCode::kInvalidParams, why, server_.effects);
  };
  const Json* ref = FindObject(call.params, "ref");
  const Json* argument = FindObject(call.params, "argument");
  if (ref == nullptr || argument == nullptr) return refuse("params.ref or argument is missing");
  const std::string* typed = FindString(*argument, "value");
  if (typed == nullptr) return refuse("params.argument.value is missing");
  CompletionTarget target;
  target.argument = StringOrEmpty(*argument, "name");
  const std::string type = StringOrEmpty(*ref, "type");
  if (type == "ref/prompt") {
    target.prompt = StringOrEmpty(*ref, "name");
  } else if (type == "ref/resource") {
    target.uri_template = StringOrEmpty(*ref, "uri");
  } else {
    return refuse("params.ref has an unknown type");
  }
  if (!IsThere(target)) return refuse("unknown prompt, template or argument");
  auto completion = FindCompletion(target);
  if (completion == nullptr) {  // nothing comes to mind
    return server_.engine.Answer(call.id, R"("completion":{"values":[],"total":0})", {},
                                 server_.effects);
  }
  std::string value = *typed;
  const Json* context = FindObject(call.params, "context");
  const Json* others = context != nullptr ? FindObject(*context, "arguments") : nullptr;
  Json arguments = others != nullptr ? *others : EmptyObject();
  const auto running =
      std::make_shared<CompletionCall::State>(server_.weak_from_this(), *this, std::move(call));
  running->completion = std::move(completion);
  running->typed = std::move(value);
  running->arguments = std::move(arguments);
  RunHandler(server_, running, [](const Running& of) {
    static_cast<CompletionCall::State&>(*of).completion->handler(CompletionCall(of));
  });
}

void Completions::HandleAnswer(const Running& call) {
  const auto& own = static_cast<const CompletionCall::State&>(*call);
  if (!own.result) return FailCall(server_, call, own.result.error());
  const std::vector<std::string>& values = own.result->values;
  std::string members = "\"completion\":{\"values\":[";
  bool valid = true;
  for (std::size_t i = 0; i < values.size() && i < kMaxValues; ++i) {
    if (i != 0) members += ',';
    valid = AppendJsonString(values[i], &members) && valid;
  }
  members += ']';
  if (own.result->total) {
    members += ",\"total\":";
    AppendInteger(*own.result->total, &members);
  }
  if (own.result->has_more || values.size() > kMaxValues) members += ",\"hasMore\":true";
  members += '}';
  AnswerCall(server_, call, valid, members);
}

}  // namespace mcp_session
