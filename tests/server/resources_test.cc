// Resources and resource templates (spec F-06, F-11): registering them, the lists, and
// resources/read in both eras.
#include <gtest/gtest.h>

#include <string>

#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

ResourceResult Nothing(ResourceCall&) { return ResourceResult::Text("x"); }

std::string Refused(Resource resource) {
  ServerPeer peer;
  const auto added = peer.server().AddResource(std::move(resource), Nothing);
  return added ? "" : added.error().message;
}

std::string RefusedTemplate(const char* uri_template) {
  ServerPeer peer;
  const auto added =
      peer.server().AddResourceTemplate({.uri_template = uri_template, .name = "a"}, Nothing);
  return added ? "" : added.error().message;
}

TEST(AddResource, WantsAUriANameAndText) {
  EXPECT_EQ(Refused({.uri = "a:b", .name = "a"}), "");
  EXPECT_EQ(Refused({.uri = "b", .name = "a"}), "a URI has a scheme");
  EXPECT_EQ(Refused({.uri = "a:b"}), "a resource has a name");
  EXPECT_EQ(Refused({.uri = "a:b", .name = "\xC3("}), "the resource's texts are not UTF-8");
  EXPECT_EQ(Refused({.uri = "a:b", .name = "a", .cache = {Millis{-1}}}), "a ttl is not negative");
}

TEST(AddResource, RefusesAUriThatIsTaken) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource({.uri = "a:b", .name = "a"}, Nothing));
  EXPECT_FALSE(peer.server().AddResource({.uri = "a:b", .name = "b"}, Nothing));
}

TEST(AddResourceTemplate, TakesWhatCanBeReadBackwards) {
  for (const char* good :
       {"a:{b}", "a:{b}/{c}", "a:{b}/x/{+c}", "a:{b}.{c}.d", "{a}:b", "a:{+b}"}) {
    EXPECT_EQ(RefusedTemplate(good), "") << good;
  }
  EXPECT_EQ(RefusedTemplate("a:b"), "a template has a variable");
  for (const char* alone : {"a:{b", "a:b}", "a:}b{", "a:{b}}"}) {
    EXPECT_EQ(RefusedTemplate(alone), "a brace is alone") << alone;
  }
  for (const char* other :
       {"a:{}", "a:{?b}", "a:{b*}", "a:{b:3}", "a:{b,c}", "a:{++b}", "a:{{b}}"}) {
    EXPECT_EQ(RefusedTemplate(other), "a variable is {name} or {+name}") << other;
  }
  EXPECT_EQ(RefusedTemplate("a:{b}/{b}"), "a variable is there twice");
  EXPECT_EQ(RefusedTemplate("a:{b}{c}"), "there is nothing between two variables");
  EXPECT_EQ(RefusedTemplate("a:{+b}/{c}"), "{+name} is not the last variable");
}

TEST(Resources, AreNotThereUnlessRegistered) {
  ServerPeer peer;
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "resources/list", ""), ErrorOf(-32601, "unknown method"));
  EXPECT_EQ(peer.AskStateless("server/discover", "").find("resources"), std::string::npos);
}

TEST(Resources, AreListedWithAllThatTheirAuthorSaid) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource({.uri = "mem:a",
                                         .name = "a",
                                         .title = "A",
                                         .description = "The first.",
                                         .mime_type = "text/plain",
                                         .size = 3,
                                         .annotations = {{"priority", 1}},
                                         .icons = {{{"src", "https://example.com/a.png"}}},
                                         .meta = {{"example.com/x", 1}}},
                                        Nothing));
  ASSERT_TRUE(peer.server().AddResourceTemplate(
      {.uri_template = "mem:{id}", .name = "b", .mime_type = "text/plain"}, Nothing));
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Ask(session, "resources/list", ""),
            ResultOf(R"("resources":[{"uri":"mem:a","name":"a","title":"A","description":)"
                     R"("The first.","mimeType":"text/plain","annotations":{"priority":1},)"
                     R"("icons":[{"src":"https://example.com/a.png"}],)"
                     R"("_meta":{"example.com/x":1},"size":3}])"));
  const std::string templates =
      R"("resourceTemplates":[{"uriTemplate":"mem:{id}","name":"b","mimeType":"text/plain"}])";
  EXPECT_EQ(peer.Ask(session, "resources/templates/list", ""), ResultOf(templates));
  EXPECT_EQ(peer.AskStateless("resources/templates/list", ""),
            StatelessResultOf(templates + R"(,"ttlMs":60000,"cacheScope":"public")"));
}

TEST(Resources, AreRead) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource(
      {.uri = "mem:text", .name = "text", .mime_type = "text/plain", .cache = {Seconds(5), true}},
      [](ResourceCall&) { return ResourceResult::Text("t"); }));
  ASSERT_TRUE(peer.server().AddResource({.uri = "mem:blob", .name = "blob"}, [](ResourceCall&) {
    ResourceResult result = ResourceResult::Blob(std::string("\0\xFF", 2));
    result.contents.push_back(TextContents("t", "mem:other", "text/css"));
    return result;
  }));
  const auto session = peer.OpenSession();
  const std::string text = R"("contents":[{"text":"t","uri":"mem:text","mimeType":"text/plain"}])";
  EXPECT_EQ(peer.Ask(session, "resources/read", R"("uri":"mem:text")"), ResultOf(text));
  EXPECT_EQ(peer.AskStateless("resources/read", R"("uri":"mem:text")", "mem:text"),
            StatelessResultOf(text + R"(,"ttlMs":5000,"cacheScope":"public")"));
  const std::string blob = R"("contents":[{"blob":"AP8=","uri":"mem:blob"},)"
                           R"({"uri":"mem:other","mimeType":"text/css","text":"t"}])";
  EXPECT_EQ(peer.AskStateless("resources/read", R"("uri":"mem:blob")", "mem:blob"),
            StatelessResultOf(blob + R"(,"ttlMs":0,"cacheScope":"private")"));
}

// A missing resource has another number in each era, and never an empty list of contents.
TEST(Resources, ThatAreMissingAreToldAsTheEraWantsIt) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource({.uri = "mem:empty", .name = "a"},
                                        [](ResourceCall&) { return ResourceResult{}; }));
  ASSERT_TRUE(peer.server().AddResourceTemplate(
      {.uri_template = "mem:gone/{id}", .name = "b"}, [](ResourceCall&) -> Result<ResourceResult> {
        return Failure(ErrorCode::kNotFound, Blame::kPeer, "gone");
      }));
  const auto session = peer.OpenSession();
  for (const std::string uri : {"mem:none", "mem:empty", "mem:gone/1"}) {
    const std::string params = R"("uri":")" + uri + '"';
    const std::string data = R"({"uri":")" + uri + R"("})";
    EXPECT_EQ(peer.Ask(session, "resources/read", params),
              ErrorOf(-32002, "resource not found", data));
    EXPECT_EQ(peer.AskStateless("resources/read", params, uri),
              ErrorOf(-32602, "resource not found", data));
  }
  EXPECT_EQ(peer.Ask(session, "resources/read", ""), ErrorOf(-32602, "params.uri is missing"));
}

TEST(Resources, OtherErrorsKeepTheirNumber) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddResource(
      {.uri = "mem:a", .name = "a"}, [](ResourceCall&) -> Result<ResourceResult> {
        return Failure(ErrorCode::kInternal, Blame::kCaller, "the disk is on fire");
      }));
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "resources/read", R"("uri":"mem:a")"),
            ErrorOf(-32603, "the disk is on fire"));
}

// What `uri` is read as, with a resource mem:fixed and the templates in this order.
std::string ReadAs(const std::string& uri) {
  ServerPeer peer;
  const auto show = [](ResourceCall& call) {
    return ResourceResult::Text(call.Variable("a") + "|" + call.Variable("b") + "|" +
                                call.Variable("none"));
  };
  EXPECT_TRUE(peer.server().AddResource({.uri = "mem:fixed", .name = "fixed"}, [](ResourceCall&) {
    return ResourceResult::Text("fixed");
  }));
  for (const char* form : {"mem:x/{a}/y/{b}", "mem:{a}.{b}/z", "mem:{a}", "file:{a}/{+b}"}) {
    EXPECT_TRUE(peer.server().AddResourceTemplate({.uri_template = form, .name = "t"}, show));
  }
  const std::string body = peer.Ask(peer.OpenSession(), "resources/read", R"("uri":")" + uri + '"');
  const std::size_t at = body.find(R"("text":")");
  if (at == std::string::npos) {
    EXPECT_NE(body.find("resource not found"), std::string::npos) << body;
    return "";
  }
  const std::size_t begin = at + 8;
  return body.substr(begin, body.find('"', begin) - begin);
}

TEST(ResourceTemplates, AreReadBackwards) {
  EXPECT_EQ(ReadAs("mem:fixed"), "fixed");
  EXPECT_EQ(ReadAs("mem:other"), "other||");
  EXPECT_EQ(ReadAs("mem:x/1/y/2"), "1|2|");
  EXPECT_EQ(ReadAs("mem:k.v/z"), "k|v|");
  EXPECT_EQ(ReadAs("mem:k.v.w/z"), "k|v.w|");
  EXPECT_EQ(ReadAs("mem:a%20b%C3%A4"), "a b\xC3\xA4||");
  EXPECT_EQ(ReadAs("mem:a%2Fb"), "a/b||");
  EXPECT_EQ(ReadAs("file:a/b/c?d#e"), "a|b/c?d#e|");
  // No variable is empty, a plain one has no / ? #, and a value is text.
  for (const char* none :
       {"mem:", "mem:x/1/y/", "mem:x//y/2", "mem:a/b", "mem:a?b", "mem:a#b", "mem:%", "mem:%4",
        "mem:%4G", "mem:%FF", "mem:k./z", "file:a/", "file:/b", "other"}) {
    EXPECT_EQ(ReadAs(none), "") << none;
  }
}

TEST(ResourceTemplates, EscapedBytesAtTheEndAreWhole) { EXPECT_EQ(ReadAs("mem:a%41"), "aA||"); }

}  // namespace
}  // namespace mcp_session
