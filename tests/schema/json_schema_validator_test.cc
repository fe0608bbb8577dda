#include "mcp_session/schema/json_schema_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Json Value(std::string_view text) {
  Result<Json> value = ParseJson(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Json();
}

std::string WhyRefused(std::string_view schema) {
  const auto compiled = JsonSchemaValidator().Compile(Value(schema));
  if (compiled) return "";
  EXPECT_EQ(compiled.error().code, ErrorCode::kInvalidArgument);
  return compiled.error().message;
}

std::vector<std::string> CheckValue(std::string_view schema, const Json& value) {
  const auto compiled = JsonSchemaValidator().Compile(Value(schema));
  if (!compiled) return {"refused: " + compiled.error().message};
  return (*compiled)->Check(value);
}
std::vector<std::string> Check(std::string_view schema, std::string_view value) {
  return CheckValue(schema, Value(value));
}

TEST(JsonSchemaValidator, NamesThePathAndWhatIsWrong) {
  constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"array",)"
      R"("items":{"type":"integer"}}},"required":["city"],"additionalProperties":false})";
  EXPECT_THAT(Check(kSchema, R"({"city":"Bonn","days":[1,2.0]})"), IsEmpty());
  EXPECT_THAT(Check(kSchema, R"({"city":5})")[0], HasSubstr("/city: "));
  EXPECT_THAT(Check(kSchema, R"({"city":"Bonn","days":[1,"x"]})")[0], HasSubstr("/days/1: "));
  EXPECT_THAT(Check(kSchema, "{}")[0], HasSubstr("'city'"));
  EXPECT_THAT(Check(kSchema, R"({"city":"Bonn","town":1})")[0], HasSubstr("'town'"));
}

struct Case {
  const char* schema;
  const char* good;
  const char* bad;
};

class Keywords : public testing::TestWithParam<Case> {};

TEST_P(Keywords, TakeTheGoodAndNotTheBad) {
  EXPECT_THAT(Check(GetParam().schema, GetParam().good), IsEmpty()) << GetParam().schema;
  EXPECT_THAT(Check(GetParam().schema, GetParam().bad), Not(IsEmpty())) << GetParam().schema;
}

INSTANTIATE_TEST_SUITE_P(
    All, Keywords,
    testing::Values(
        Case{R"({"type":["string","null"]})", "null", "1"},
        Case{R"({"type":"integer"})", "3.0", "3.5"}, Case{R"({"type":"number"})", "3", R"("3")"},
        Case{R"({"enum":["a",1]})", "1", R"("1")"},
        Case{R"({"const":{"a":[1]}})", R"({"a":[1]})", R"({"a":[2]})"},
        Case{R"({"minimum":1,"maximum":3})", "3", "3.1"},
        Case{R"({"exclusiveMinimum":1})", "1.1", "1"}, Case{R"({"exclusiveMaximum":1})", "0", "1"},
        Case{R"({"multipleOf":2})", "4.0", "2.5"}, Case{R"({"multipleOf":0.1})", "0.3", "0.35"},
        Case{R"({"minLength":2})", R"("äö")", R"("ä")"},
        Case{R"({"maxLength":2})", R"("äö")", R"("a\u0000b")"},
        Case{R"({"pattern":"^[a-z]+$"})", R"("ab")", R"("aB")"},
        Case{R"({"minItems":1,"maxItems":2})", "[1]", "[]"},
        Case{R"({"uniqueItems":true})", "[1,2]", "[1,2,1]"},
        Case{R"({"contains":{"const":1}})", "[2,1]", "[2]"},
        Case{R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a",1])",
             R"(["a","b"])"},
        Case{R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a"])", R"(["a",1])"},
        Case{R"({"minProperties":1,"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})"},
        Case{R"({"propertyNames":{"pattern":"^x"}})", R"({"xa":1})", R"({"a":1})"},
        Case{R"({"additionalProperties":{"type":"integer"}})", R"({"a":1})", R"({"a":"1"})"},
        Case{R"({"dependentRequired":{"a":["b"]}})", R"({"b":1})", R"({"a":1})"},
        Case{R"({"dependentSchemas":{"a":{"required":["b"]}}})", R"({"a":1,"b":1})", R"({"a":1})"},
        Case{R"({"allOf":[{"minimum":1},{"maximum":2}]})", "2", "3"},
        Case{R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "5", "4"},
        Case{R"({"oneOf":[{"minimum":1},{"minimum":5}]})", "4", "5"},
        Case{R"({"not":{"type":"string"}})", "1", R"("a")"},
        Case{R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"const":1}})", "1", R"("")"},
        Case{R"({"properties":{"a":false}})", R"({"b":1})", R"({"a":1})"},
        Case{R"({"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}})",
             R"({"a":1})", R"({"a":"1"})"},
        Case{
            R"({"$defs":{"x":{"$anchor":"n","type":"integer"}},"items":{"$ref":"#n","minimum":3}})",
            "[3]", "[2]"},
        Case{
            R"({"$defs":{"x":{"$anchor":"n","type":"integer"}},"items":{"$ref":"#n","minimum":3}})",
            "[3]", R"(["x"])"},
        Case{R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
             R"({"next":{"next":{}}})", R"({"next":{"other":1}})"},
        Case{R"({"properties":{"pattern":{"const":1},"id":{"const":2},"$ref":{"const":3}}})",
             R"({"pattern":1,"id":2,"$ref":3})", R"({"pattern":2})"}));

// What 2020-12 lets be a note only, or what is not known, is no mistake.
TEST(JsonSchemaValidator, IgnoresWhatOnlyDescribes) {
  EXPECT_THAT(Check(R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"t",)"
                    R"("description":"d","format":"email","id":"x","x-mcp-header":"R",)"
                    R"("unevaluatedProperties":false,"default":{"$ref":"https://example.com"}})",
                    R"({"a":1})"),
              IsEmpty());
  EXPECT_THAT(Check(R"({"contains":{"const":1},"minContains":0})", "[]"), IsEmpty());
  EXPECT_THAT(Check(R"({"required":[]})", "{}"), IsEmpty());
}

// J-14
TEST(JsonSchemaValidator, RefusesWhatItCannotCheck) {
  EXPECT_THAT(WhyRefused(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"),
              HasSubstr("$schema"));
  EXPECT_THAT(WhyRefused(R"({"$schema":5})"), HasSubstr("$schema"));
  EXPECT_THAT(WhyRefused(R"({"patternProperties":{"^a":{}}})"), HasSubstr("patternProperties"));
  EXPECT_THAT(WhyRefused(R"({"$dynamicRef":"#a"})"), HasSubstr("$dynamicRef"));
  EXPECT_THAT(WhyRefused(R"({"pattern":"(?=a)b"})"), HasSubstr("pattern"));
  EXPECT_THAT(WhyRefused(R"({"pattern":5})"), HasSubstr("pattern"));
  EXPECT_THAT(WhyRefused(R"({"multipleOf":0})"), HasSubstr("multipleOf"));
  EXPECT_THAT(WhyRefused(R"({"maxLength":-1})"), HasSubstr("length"));
  EXPECT_THAT(WhyRefused(R"({"minLength":99999999999999999999})"), HasSubstr("length"));
  EXPECT_THAT(WhyRefused(R"({"properties":[]})"), HasSubstr("object"));
  EXPECT_THAT(WhyRefused(R"({"items":5})"), HasSubstr("object"));
  EXPECT_NE(WhyRefused(R"({"type":"text"})"), "");
  EXPECT_NE(WhyRefused(R"({"required":"a"})"), "");
  EXPECT_NE(WhyRefused(R"({"enum":1})"), "");
}

// J-15
TEST(JsonSchemaValidator, FetchesNothing) {
  EXPECT_THAT(WhyRefused(R"({"$ref":"https://example.com/schema.json"})"), HasSubstr("$ref"));
  EXPECT_THAT(WhyRefused(R"({"items":{"$ref":"other.json#/x"}})"), HasSubstr("$ref"));
  EXPECT_THAT(WhyRefused(R"({"$ref":5})"), HasSubstr("$ref"));
  EXPECT_THAT(WhyRefused(R"({"$ref":"#/$defs/none"})"), HasSubstr("$ref"));
  EXPECT_THAT(WhyRefused(R"({"$ref":"#none"})"), HasSubstr("$ref"));
}

TEST(JsonSchemaValidator, RefusesCirclesThatReadNothing) {
  EXPECT_THAT(WhyRefused(R"({"$ref":"#"})"), HasSubstr("back to itself"));
  EXPECT_THAT(WhyRefused(R"({"anyOf":[{"type":"string"},{"$ref":"#"}]})"),
              HasSubstr("back to itself"));
  EXPECT_THAT(WhyRefused(R"({"$defs":{"a":{"not":{"$ref":"#/$defs/b"}},)"
                         R"("b":{"if":{"$ref":"#/$defs/a"}}}})"),
              HasSubstr("back to itself"));
}

TEST(JsonSchemaValidator, RefusesASchemaThatIsNestedTooDeep) {
  std::string text = "true";
  for (int i = 0; i < 63; ++i) text = R"({"items":)" + text + "}";
  EXPECT_EQ(WhyRefused(text), "");
  Json deep = Value(text);
  for (int i = 0; i < 2; ++i) deep = Json{{"items", deep}};
  EXPECT_FALSE(JsonSchemaValidator().Compile(deep));
}

// --- hostile values ---

// Were they checked to the end, these tests would not end.

TEST(JsonSchemaValidator, APatternIsMatchedInLinearTime) {
  const Json text(std::string(100'000, 'a') + "!");
  EXPECT_THAT(CheckValue(R"({"pattern":"^(a+)+$"})", text), SizeIs(1));
  EXPECT_THAT(CheckValue(R"({"pattern":"^(a|aa|.)*$"})", text), IsEmpty());
}

TEST(JsonSchemaValidator, WhatWouldTakeTooLongDoesNotConform) {
  Json numbers = Json::array();
  for (int i = 0; i < 100'000; ++i) numbers.push_back(i);
  EXPECT_THAT(CheckValue(R"({"uniqueItems":true})", numbers),
              ElementsAre("the whole: it is too large to be checked"));
  Json nested = Json::object();
  for (int i = 0; i < 60; ++i) nested = Json{{"a", nested}};
  // Two ways at each level.
  EXPECT_THAT(CheckValue(R"({"anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["b"]},)"
                         R"({"properties":{"a":{"$ref":"#"}},"required":["c"]}]})",
                         nested),
              ElementsAre("the whole: it is too large to be checked"));
}

TEST(JsonSchemaValidator, ALargeOrdinaryValueIsChecked) {
  Json rows = Json::array();
  for (int i = 0; i < 30'000; ++i) rows.push_back(Json{{"id", i}, {"name", "row"}});
  constexpr std::string_view kRows =
      R"({"items":{"type":"object","properties":{"id":{"type":"integer"},)"
      R"("name":{"type":"string","maxLength":9}},"required":["id"],"additionalProperties":false}})";
  EXPECT_THAT(CheckValue(kRows, rows), IsEmpty());
  rows.push_back(Json::object());
  EXPECT_THAT(CheckValue(kRows, rows), Not(IsEmpty()));
}

TEST(JsonSchemaValidator, SaysFewAndShortThings) {
  Json many = Json::object();
  for (int i = 0; i < 1000; ++i) many[std::string(1000, 'k') + std::to_string(i)] = "x";
  const auto problems = CheckValue(R"({"additionalProperties":{"type":"integer"}})", many);
  ASSERT_THAT(problems, SizeIs(5));
  for (const std::string& problem : problems) EXPECT_LE(problem.size(), 243u);
}

TEST(JsonSchemaValidator, CutsBetweenCharacters) {
  for (int pad = 0; pad < 4; ++pad) {
    std::string name(pad, 'x');
    for (int i = 0; i < 200; ++i) name += "€";
    const auto problems = CheckValue(R"({"additionalProperties":false})", Json{{name, 1}});
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_NO_THROW((void)Json(problems[0]).dump());
  }
}

TEST(JsonSchemaValidator, LargeNumbersAreNumbers) {
  EXPECT_THAT(Check(R"({"minimum":1})", "18446744073709551615"), IsEmpty());
  EXPECT_THAT(Check(R"({"maximum":1})", "18446744073709551615"), SizeIs(1));
  EXPECT_THAT(Check(R"({"multipleOf":5})", "-9223372036854775808"), IsEmpty());
}

TEST(JsonSchemaValidator, OneCompiledSchemaChecksManyValues) {
  const auto compiled = JsonSchemaValidator().Compile(Value(R"({"type":"integer"})"));
  ASSERT_TRUE(compiled);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT((*compiled)->Check(Json(i)), IsEmpty());
    EXPECT_THAT((*compiled)->Check(Json("x")), SizeIs(1));
  }
}

}  // namespace
}  // namespace mcp_session
