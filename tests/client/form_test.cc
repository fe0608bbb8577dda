#include "mcp_session/client/form.h"

#include <gtest/gtest.h>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

TEST(Form, FillsDefaultsIn) {  // G-05
  const Json params = FromText(R"({"requestedSchema":{"properties":{
      "name":{"type":"string","default":"John"},"age":{"type":"integer","default":30},
      "free":{"type":"string"},"odd":7}}})");
  EXPECT_EQ(ToText(AcceptForm(params, Json())),
            R"({"action":"accept","content":{"name":"John","age":30}})");
  EXPECT_EQ(ToText(AcceptForm(params, FromText(R"({"age":null,"name":"Ann"})"))),
            R"({"action":"accept","content":{"age":null,"name":"Ann"}})");
  for (const char* none : {"null", "{}", R"({"requestedSchema":7})", R"({"requestedSchema":{}})"}) {
    EXPECT_EQ(ToText(AcceptForm(FromText(none), Json())), R"({"action":"accept","content":{}})");
  }
}

TEST(Form, RefusesInTwoWays) {
  EXPECT_EQ(ToText(DeclineForm()), R"({"action":"decline"})");
  EXPECT_EQ(ToText(CancelForm()), R"({"action":"cancel"})");
}

}  // namespace
}  // namespace mcp_session
