#include "mcp_session/schema/json_schema_validator.h"

#include <exception>
#include <string>
#include <utility>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "mcp_session/schema/dialect.h"
#include "mcp_session/schema/json_adapter.h"
#include "mcp_session/schema/own_rules.h"

namespace mcp_session {
namespace {

// Enough for a message of 4 MiB under an ordinary schema, and some tenths of a second.
constexpr std::int64_t kSteps = 2'000'000;
constexpr std::int64_t kStepsToExplain = 100'000;
constexpr std::size_t kMaxProblems = 5;
constexpr std::size_t kMaxProblemBytes = 240;

// valijson's ["<root>", "[items]", "[0]"] as /items/0.
std::string PathOf(const std::vector<std::string>& context) {
  std::string path;
  for (std::size_t i = 1; i < context.size(); ++i) {
    path += '/';
    path += context[i].substr(1, context[i].size() - 2);
  }
  return path.empty() ? "the whole" : path;
}

// At most `size` bytes of it, and whole characters.
void CutTo(std::size_t size, std::string* text) {
  if (text->size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>((*text)[size]) & 0xC0) == 0x80) --size;
  text->resize(size);
  *text += "...";
}

class Compiled final : public CompiledSchema {
 public:
  explicit Compiled(const Json& schema) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    AddOwnRules(parser);
    parser.populateSchema(JsonAdapter(schema), schema_);
  }

  std::vector<std::string> Check(const Json& value) const override {
    try {
      Steps steps{kSteps};
      // Without a place for results it stops at the first mistake.
      if (valijson::Validator().validate(schema_, JsonAdapter(JsonRef(value, &steps)), nullptr)) {
        return {};
      }
    } catch (const OutOfSteps&) {
      return {"the whole: it is too large to be checked"};
    } catch (const std::exception&) {
      return {"the whole: it cannot be checked"};
    }
    return Explain(value);
  }

 private:
  std::vector<std::string> Explain(const Json& value) const {
    valijson::ValidationResults results;
    try {
      Steps steps{kStepsToExplain};
      valijson::Validator().validate(schema_, JsonAdapter(JsonRef(value, &steps)), &results);
    } catch (const OutOfSteps&) {  // what was found so far will do
    } catch (const std::exception&) {
    }
    std::vector<std::string> problems;
    valijson::ValidationResults::Error error;
    while (problems.size() < kMaxProblems && results.popError(error)) {
      std::string& problem = problems.emplace_back(PathOf(error.context));
      CutTo(kMaxProblemBytes / 2, &problem);
      problem += ": " + error.description;
      CutTo(kMaxProblemBytes, &problem);
    }
    if (problems.empty()) problems.emplace_back("the whole: it does not match the schema");
    return problems;
  }

  valijson::Schema schema_;
};

}  // namespace

Result<std::shared_ptr<const CompiledSchema>> JsonSchemaValidator::Compile(
    const Json& schema) const {
  MCPS_TRY(const Json known, ToKnownDialect(schema));
  std::string why;
  try {
    return std::make_shared<const Compiled>(known);
  } catch (const std::exception& error) {
    why = error.what();
  }
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "the schema: " + why);
}

}  // namespace mcp_session
