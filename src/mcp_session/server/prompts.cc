#include "mcp_session/server/prompts.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/completions.h"
#include "mcp_session/server/content.h"
#include "mcp_session/server/listing.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

struct PromptCall::State : HandlerCall::State {
  using HandlerCall::State::State;
  std::shared_ptr<const RegisteredPrompt> prompt;
  Result<PromptResult> result;
};

namespace {

Json Describe(const Prompt& prompt) {
  Json described = EmptyObject();
  described["name"] = prompt.name;
  AddText("title", prompt.title, &described);
  AddText("description", prompt.description, &described);
  if (!prompt.arguments.empty()) {
    Json& arguments = described["arguments"] = EmptyArray();
    for (const PromptArgument& argument : prompt.arguments) {
      Json one = EmptyObject();
      one["name"] = argument.name;
      AddText("title", argument.title, &one);
      AddText("description", argument.description, &one);
      if (argument.required) one["required"] = true;
      arguments.push_back(std::move(one));
    }
  }
  AddMember("icons", prompt.icons, &described);
  AddMember("_meta", prompt.meta, &described);
  return described;
}

bool HasNames(const Prompt& prompt) {
  return !prompt.name.empty() &&
         std::none_of(prompt.arguments.begin(), prompt.arguments.end(),
                      [](const PromptArgument& argument) { return argument.name.empty(); });
}

}  // namespace

void PromptResult::AddUser(Json content) {
  messages.push_back(ModelMessage("user", std::move(content)));
}

void PromptResult::AddAssistant(Json content) {
  messages.push_back(ModelMessage("assistant", std::move(content)));
}

PromptResult PromptResult::Text(std::string text) {
  PromptResult result;
  result.AddUser(TextContent(std::move(text)));
  return result;
}

PromptCall::PromptCall(std::shared_ptr<HandlerCall::State> state) : AskingCall(std::move(state)) {}

PromptCall::State& PromptCall::own() const { return static_cast<State&>(*state_); }

std::string PromptCall::Argument(std::string_view name) const {
  return StringOrEmpty(own().arguments, name);
}

void PromptCall::Reply(Result<PromptResult> result) {
  if (!state_->running) return;
  own().result = std::move(result);
  Answered();
}

Result<void> McpServer::RegisterPrompt(Prompt prompt, PromptHandler handler) {
  return state_->Register<Prompts>(std::move(prompt), std::move(handler));
}

Result<void> Prompts::Register(Prompt prompt, PromptHandler handler) {
  if (!HasNames(prompt)) return Refuse("a prompt and its arguments have names");
  if (FindPrompt(prompt.name)) return Refuse("a prompt of this name is registered");
  std::string text;
  if (!AppendJson(Describe(prompt), &text)) return Refuse("the prompt's texts are not UTF-8");
  listed_.push_back(std::move(text));
  prompts_.push_back(std::make_shared<const RegisteredPrompt>(
      RegisteredPrompt{std::move(prompt), std::move(handler)}));
  return {};
}

bool McpServer::RemovePrompt(std::string_view name) {
  if (auto* completions = state_->Find<Completions>()) completions->RemoveOf(name, {});
  auto* prompts = state_->Find<Prompts>();
  return prompts != nullptr && prompts->Remove(name);
}

bool Prompts::Remove(std::string_view name) {
  const auto is_it = [name](const auto& prompt) { return prompt->prompt.name == name; };
  return RemoveListed(is_it, &prompts_, &listed_);
}

std::shared_ptr<const RegisteredPrompt> Prompts::FindPrompt(std::string_view name) const {
  for (const auto& prompt : prompts_) {
    if (prompt->prompt.name == name) return prompt;
  }
  return nullptr;
}

bool Prompts::HandleCall(Call& call) {
  if (call.method == "prompts/get") {
    Get(std::move(call));
  } else if (call.method == "prompts/list") {
    AnswerList(server_, call, "prompts", listed_);
  } else {
    return false;
  }
  return true;
}

void Prompts::Get(Call call) {
  const auto refuse = [&](std::string_view why) {
    server_.engine.Fail(call.id, ErrorCode::kInvalidParams, why, server_.effects);
  };
  const std::string* name = FindString(call.params, "name");
  if (name == nullptr) return refuse("params.name is missing");
  std::shared_ptr<const RegisteredPrompt> prompt = FindPrompt(*name);
  if (prompt == nullptr) return refuse("unknown prompt");
  Json arguments = Take(call.params, "arguments");
  if (arguments.is_null()) arguments = EmptyObject();
  if (!arguments.is_object()) return refuse("params.arguments is no object");
  for (const Json& value : arguments) {
    if (!value.is_string()) return refuse("the arguments of a prompt are strings");
  }
  for (const PromptArgument& argument : prompt->prompt.arguments) {
    if (argument.required && Find(arguments, argument.name) == nullptr) {
      return refuse("the argument " + argument.name + " is missing");
    }
  }
  const auto running =
      std::make_shared<PromptCall::State>(server_.weak_from_this(), *this, std::move(call));
  running->prompt = std::move(prompt);
  running->arguments = std::move(arguments);
  Run(running);
}

void Prompts::Run(const Running& call) {
  RunHandler(server_, call, [](const Running& of) {
    static_cast<PromptCall::State&>(*of).prompt->handler(PromptCall(of));
  });
}

void Prompts::RunAgain(const Running& call) {
  const auto again =
      std::make_shared<PromptCall::State>(server_.weak_from_this(), *this, std::move(call->call));
  again->arguments = std::move(call->arguments);
  again->asking = std::move(call->asking);
  again->prompt = static_cast<PromptCall::State&>(*call).prompt;
  Run(again);
}

void Prompts::HandleAnswer(const Running& call) {
  const auto& own = static_cast<const PromptCall::State&>(*call);
  if (!own.result) return FailCall(server_, call, own.result.error());
  std::string members = "\"messages\":";
  bool valid = AppendJson(own.result->messages, &members);
  if (!own.result->description.empty()) {
    members += ",\"description\":";
    valid = AppendJsonString(own.result->description, &members) && valid;
  }
  AnswerCall(server_, call, valid, members);
}

}  // namespace mcp_session
