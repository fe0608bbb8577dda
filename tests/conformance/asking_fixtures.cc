#include "tests/conformance/asking_fixtures.h"

#include <string>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/server/content.h"

namespace mcp_session {
namespace {

Form Asking(const char* message, const char* field) {
  return Form(message).Add(TextField{{.name = field}});
}

Form OkForm() { return Form("Go on?").Add(BooleanField{{.name = "ok"}}); }

Sampling Capital() {
  Sampling sampling{.max_tokens = 100};
  sampling.AddUser(TextContent("What is the capital of France?"));
  return sampling;
}

// A field of an accepted form, as text; empty if there is none.
std::string FieldOf(const Json& answer, const char* field) {
  const Json* content = AcceptedContent(answer);
  return content != nullptr ? StringOrEmpty(*content, field) : std::string();
}

ToolResult Told(const Json& answer) { return ToolResult::Text("answer: " + answer.dump()); }

class AskingFixtures {
 public:
  explicit AskingFixtures(McpServer& server) : server_(server) {}

  Result<void> AddAll() {
    AddOneQuestion();
    AddSeveralQuestions();
    AddForms();
    AddPrompt();
    return added_;
  }

 private:
  template <typename Handler>
  void AddTool(const char* name, const char* description, Handler handler, Json schema = {}) {
    Keep(server_.AddTool(
        {.name = name, .description = description, .input_schema = std::move(schema)},
        std::move(handler)));
  }
  void Keep(const Result<void>& added) {
    if (added_ && !added) added_ = added;
  }
  // A tool that tells what was answered to the question that `ask` makes of the call.
  template <typename Ask>
  void AddTelling(const char* name, const char* description, const char* key, Ask ask,
                  Json schema = {}) {
    AddTool(
        name, description,
        [key, ask](ToolCall& call) {
          const Json* answer = call.Ask(key, ask(call));
          return answer != nullptr ? Told(*answer) : ToolResult();
        },
        std::move(schema));
  }

  void AddOneQuestion() {
    const auto with = [](const char* argument) -> Json {
      return {{"type", "object"}, {"properties", {{argument, {{"type", "string"}}}}}};
    };
    AddTelling(
        "test_sampling", "Asks the client's model.", "text",
        [](ToolCall& call) {
          Sampling sampling{.max_tokens = 100};
          sampling.AddUser(TextContent(StringOrEmpty(call.arguments(), "prompt")));
          return Sample(sampling);
        },
        with("prompt"));
    AddTelling(
        "test_elicitation", "Asks the user.", "user",
        [](ToolCall& call) {
          return Form(StringOrEmpty(call.arguments(), "message"))
              .Add(TextField{{.name = "username", .description = "Your name", .required = false}})
              .Add(TextField{{.name = "email", .description = "Your address", .required = false},
                             "email"});
        },
        with("message"));
    AddTool("test_input_required_result_elicitation", "Asks who the user is.", [](ToolCall& call) {
      const Json* answer = call.Ask("user_name", Asking("What is your name?", "name"));
      if (answer == nullptr) return ToolResult();
      return ToolResult::Text("Hello, " + FieldOf(*answer, "name") + "!");
    });
    AddTelling("test_input_required_result_sampling", "Asks the client's model.", "capital",
               [](ToolCall&) { return Sample(Capital()); });
    AddTelling("test_input_required_result_list_roots", "Asks for roots.", "roots",
               [](ToolCall&) { return ListRoots(); });
    AddTool("test_input_required_result_capabilities", "Asks what the client can be asked.",
            [](ToolCall& call) {
              const Form name = Asking("What is your name?", "name");
              const Question capital = Sample(Capital());
              bool answered = true;
              if (call.CanAsk(name)) answered = call.Ask("name", name) && answered;
              if (call.CanAsk(capital)) answered = call.Ask("capital", capital) && answered;
              return answered ? ToolResult::Text("Done.") : ToolResult();
            });
  }

  void AddSeveralQuestions() {
    const auto confirm = [](ToolCall& call) {
      call.kept() = "begun";
      if (call.Ask("confirm", OkForm()) == nullptr) return ToolResult();
      return ToolResult::Text("state-ok");
    };
    AddTool("test_input_required_result_request_state", "Keeps something meanwhile.", confirm);
    AddTool("test_input_required_result_tampered_state", "Keeps something meanwhile.", confirm);
    AddTool("test_input_required_result_multiple_inputs", "Asks for several things at once.",
            [](ToolCall& call) {
              const Json* name = call.Ask("user_name", Asking("What is your name?", "name"));
              const Json* greeting = call.Ask("greeting", Sample(Capital()));
              const Json* roots = call.Ask("client_roots", ListRoots());
              if (name == nullptr || greeting == nullptr || roots == nullptr) return ToolResult();
              return ToolResult::Text("Hello, " + FieldOf(*name, "name") + "!");
            });
    AddTool("test_input_required_result_multi_round", "Asks twice.", [](ToolCall& call) {
      const Json* name = call.Ask("step1", Asking("Step 1: What is your name?", "name"));
      if (name == nullptr) return ToolResult();
      const Json* color = call.Ask("step2", Asking("Step 2: Which colour?", "color"));
      if (color == nullptr) return ToolResult();
      return ToolResult::Text(FieldOf(*name, "name") + " likes " + FieldOf(*color, "color") + ".");
    });
  }

  void AddForms() {
    AddTelling(
        "test_elicitation_sep1034_defaults", "A form that is filled in.", "form", [](ToolCall&) {
          return Form("Is this right?")
              .Add(TextField{{.name = "name", .description = "Your name"}, {}, {}, {}, "John Doe"})
              .Add(IntegerField{{.name = "age", .description = "Your age"}, {}, {}, 30})
              .Add(NumberField{{.name = "score", .description = "Points"}, {}, {}, 95.5})
              .Add(ChoiceField{{.name = "status", .description = "What you are"},
                               {{"active"}, {"inactive"}, {"pending"}},
                               false,
                               "active"})
              .Add(BooleanField{{.name = "verified", .description = "Are you sure"}, true});
        });
    AddTelling("test_elicitation_sep1330_enums", "A form of choices.", "form", [](ToolCall&) {
      const std::vector<Choice> plain = {{"option1"}, {"option2"}, {"option3"}};
      const std::vector<Choice> titled = {
          {"value1", "First"}, {"value2", "Second"}, {"value3", "Third"}};
      const std::vector<Choice> legacy = {{"opt1", "One"}, {"opt2", "Two"}, {"opt3", "Three"}};
      return Form("What do you choose?")
          .Add(ChoiceField{{.name = "untitledSingle"}, plain})
          .Add(ChoiceField{{.name = "titledSingle"}, titled})
          .Add(ChoiceField{{.name = "legacyEnum"}, legacy, true})
          .Add(ChoicesField{{.name = "untitledMulti"}, plain})
          .Add(ChoicesField{{.name = "titledMulti"}, titled});
    });
  }

  void AddPrompt() {
    Keep(server_.AddPrompt(
        {.name = "test_input_required_result_prompt", .description = "A prompt that asks."},
        [](PromptCall& call) {
          const Json* answer = call.Ask("user_context", Asking("For what is it?", "context"));
          if (answer == nullptr) return PromptResult();
          return PromptResult::Text("Think of " + FieldOf(*answer, "context") + ".");
        }));
  }

  McpServer& server_;
  Result<void> added_;
};

}  // namespace

Result<void> AddAskingFixtures(McpServer& server) { return AskingFixtures(server).AddAll(); }

}  // namespace mcp_session
