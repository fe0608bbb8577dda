// The C ABI, by the bytes that cross it.
#include "wasm/abi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/counting_entropy.h"

namespace {

using ::mcp_session::CountingEntropy;
using ::mcp_session::SeededEntropy;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

CountingEntropy& ImportedEntropy() {
  static CountingEntropy entropy;
  return entropy;
}

}  // namespace

extern "C" void mcps_entropy(void* bytes, std::size_t size) {
  ImportedEntropy().Fill({static_cast<std::uint8_t*>(bytes), size});
}

namespace {

constexpr std::string_view kAbsent = "(absent)";

template <typename T>
std::string Bytes(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// The bytes of an input frame. A field that is kAbsent is absent.
std::string Encode(std::uint32_t kind, std::uint64_t id = 0, std::int32_t number = 0,
                   const std::vector<std::string>& fields = {}) {
  std::string frame =
      Bytes(kind) + Bytes(number) + Bytes(id) + Bytes(static_cast<std::uint32_t>(fields.size()));
  for (const std::string& field : fields) {
    if (field == kAbsent) {
      frame += Bytes(std::uint32_t{MCPS_ABSENT});
    } else {
      frame += Bytes(static_cast<std::uint32_t>(field.size())) + field;
    }
  }
  return frame;
}

struct Out {
  std::uint32_t kind = 0;
  std::int32_t number = 0;
  std::uint64_t id = 0;
  std::vector<std::string> fields;
};

void PrintTo(const Out& out, std::ostream* stream) {
  *stream << out.kind << " #" << out.id << " (" << out.number << ")";
  for (const std::string& field : out.fields) *stream << " [" << field << "]";
}

// The output of the last call; fails the test if it is no row of whole frames.
std::vector<Out> Decode() {
  const std::string_view output(static_cast<const char*>(mcps_output()), mcps_output_size());
  std::size_t at = 0;
  const auto take = [&](auto* value) {
    if (output.size() - at < sizeof *value) {
      ADD_FAILURE() << "the output is cut short";
      at = output.size();
      *value = 0;
      return;
    }
    std::memcpy(value, output.data() + at, sizeof *value);
    at += sizeof *value;
  };
  std::vector<Out> frames;
  while (at < output.size()) {
    Out frame;
    std::uint32_t count = 0;
    take(&frame.kind);
    take(&frame.number);
    take(&frame.id);
    take(&count);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint32_t length = 0;
      take(&length);
      if (length == MCPS_ABSENT) {
        frame.fields.emplace_back(kAbsent);
        continue;
      }
      if (length > output.size() - at) {
        ADD_FAILURE() << "a field is cut short";
        return frames;
      }
      frame.fields.emplace_back(output.substr(at, length));
      at += length;
    }
    frames.push_back(frame);
  }
  return frames;
}

auto IsFrame(std::uint32_t kind, std::uint64_t id) {
  return AllOf(Field("kind", &Out::kind, kind), Field("id", &Out::id, id));
}
template <typename Fields>
auto IsFrame(std::uint32_t kind, std::uint64_t id, Fields fields) {
  return AllOf(IsFrame(kind, id), Field("fields", &Out::fields, fields));
}
auto IsMisuse(std::string_view message) {
  return ElementsAre(
      IsFrame(MCPS_ERROR, 0, ElementsAre("INVALID_ARGUMENT", HasSubstr(std::string(message)))));
}

class Server {
 public:
  explicit Server(std::string_view options = R"({"name":"t","version":"1"})",
                  const mcps_store* store = nullptr)
      : server_(mcps_server_new(options.data(), options.size(), store)) {}
  ~Server() { mcps_server_delete(server_); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int Tool(std::string_view tool) { return mcps_server_tool(server_, tool.data(), tool.size()); }
  std::vector<Out> Handle(const std::string& frame, double now = 0) {
    EXPECT_EQ(mcps_server_handle(server_, frame.data(), frame.size(), now), 0);
    return Decode();
  }
  // A stateless request over HTTP.
  std::vector<Out> Post(std::uint64_t exchange, const std::string& method, const std::string& name,
                        const std::string& params, const std::string& principal = "") {
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params +
        R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{},"progressToken":"p"}}})";
    std::vector<std::string> fields = {"POST", principal, body};
    const auto header = [&](const char* key, const std::string& value) {
      fields.insert(fields.end(), {key, value});
    };
    header("accept", "application/json, text/event-stream");
    header("content-type", "application/json");
    header("mcp-protocol-version", "2026-07-28");
    header("mcp-method", method);
    if (!name.empty()) header("mcp-name", name);
    return Handle(Encode(MCPS_HTTP_REQUESTED, exchange, 0, fields));
  }
  std::vector<Out> Call(std::uint64_t exchange, const std::string& tool,
                        const std::string& arguments = "{}", const std::string& principal = "") {
    return Post(exchange, "tools/call", tool,
                R"("name":")" + tool + R"(","arguments":)" + arguments + ",", principal);
  }
  mcps_server* get() { return server_; }

 private:
  mcps_server* const server_;
};

class Client {
 public:
  explicit Client(std::string_view options = R"({"name":"t","version":"1"})")
      : client_(mcps_client_new(options.data(), options.size())) {}
  ~Client() { mcps_client_delete(client_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::vector<Out> Handle(const std::string& frame, double now = 0) {
    EXPECT_EQ(mcps_client_handle(client_, frame.data(), frame.size(), now), 0);
    return Decode();
  }
  mcps_client* get() { return client_; }

 private:
  mcps_client* const client_;
};

class Store {
 public:
  explicit Store(std::string_view options = "{}")
      : store_(mcps_store_new(options.data(), options.size())) {}
  ~Store() { mcps_store_delete(store_); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  std::vector<Out> Handle(std::uint32_t kind, const std::vector<std::string>& fields = {},
                          double now = 0, std::int32_t number = 0) {
    const std::string frame = Encode(kind, 0, number, fields);
    returned_ = mcps_store_handle(store_, frame.data(), frame.size(), now);
    return Decode();
  }
  int returned() const { return returned_; }
  mcps_store* get() { return store_; }

 private:
  mcps_store* const store_;
  int returned_ = 0;
};

TEST(Abi, TellsItsVersion) { EXPECT_EQ(mcps_abi_version(), MCPS_ABI_VERSION); }

TEST(Abi, AllocatesEvenNothing) {
  void* const memory = mcps_alloc(0);
  EXPECT_NE(memory, nullptr);
  mcps_free(memory);
  mcps_free(nullptr);
}

// --- options ---

TEST(AbiOptions, RefusesWhatIsNoOption) {
  const struct {
    const char* options;
    const char* message;
  } kCases[] = {
      {"", "JSON"},
      {"[", "JSON"},
      {"[]", "object"},
      {R"({"name":1})", "name"},
      {R"({"nmae":"x"})", "unknown option nmae"},
      {R"({"sessionTtl":0})", "sessionTtl"},
      {R"({"sessionTtl":1.5})", "sessionTtl"},
      {R"({"sessionTtl":"1"})", "sessionTtl"},
      {R"({"sessionTtl":2592000001})", "sessionTtl"},
      {R"({"maxMessageBytes":-1})", "maxMessageBytes"},
      {R"({"maxMessageBytes":4294967296})", "maxMessageBytes"},
      {R"({"hosts":"everything"})", "object"},
      {R"({"hosts":{"hosts":[1]}})", "hosts"},
      {R"({"hosts":{"host":[]}})", "unknown option host"},
      {R"({"store":{"maxRecords":null}})", "maxRecords"},
      {R"({"store":[]})", "store"},
  };
  for (const auto& [options, message] : kCases) {
    EXPECT_EQ(mcps_server_new(options, std::strlen(options), nullptr), nullptr) << options;
    EXPECT_THAT(Decode(), IsMisuse(message)) << options;
  }
}

TEST(AbiStore, RefusesWhatIsNoOption) {
  for (const std::string_view options : {"", "[]", R"({"maxRecords":0})", R"({"colour":1})"}) {
    EXPECT_EQ(mcps_store_new(options.data(), options.size()), nullptr) << options;
    EXPECT_THAT(Decode(), ElementsAre(IsFrame(MCPS_ERROR, 0)));
  }
}

TEST(AbiStore, CarriesOutCommands) {
  Store store;
  const double hour = 3'600'000;
  const std::vector<std::string> key = {"o", "k", "i"};
  const auto with = [&key](std::vector<std::string> more) {
    more.insert(more.begin(), key.begin(), key.end());
    return more;
  };
  EXPECT_EQ(mcps_store_changes(store.get()), 0);
  const auto made = store.Handle(MCPS_STORE_CREATE, with({"data", Bytes(hour)}));
  ASSERT_THAT(made, ElementsAre(IsFrame(MCPS_STORE_RECORD, 0), IsFrame(MCPS_STORE_DONE, 0)));
  EXPECT_THAT(made[0].fields, ElementsAre("", "data", Bytes(1.0), Bytes(hour)));
  EXPECT_EQ(mcps_store_changes(store.get()), 1);
  EXPECT_THAT(store.Handle(MCPS_STORE_CREATE, with({"again", Bytes(hour)})),
              ElementsAre(IsFrame(MCPS_STORE_FAILED, 0, ElementsAre("EXISTS"))));
  // A conflict comes with the record as it is.
  const auto conflict = store.Handle(MCPS_STORE_PUT, with({"late", Bytes(7.0)}));
  EXPECT_THAT(conflict, ElementsAre(IsFrame(MCPS_STORE_RECORD, 0),
                                    IsFrame(MCPS_STORE_FAILED, 0, ElementsAre("CONFLICT"))));
  EXPECT_THAT(store.Handle(MCPS_STORE_PUT, with({"new", Bytes(1.0)})),
              ElementsAre(IsFrame(MCPS_STORE_RECORD, 0), IsFrame(MCPS_STORE_DONE, 0)));
  EXPECT_THAT(store.Handle(MCPS_STORE_TOUCH, key), ElementsAre(IsFrame(MCPS_STORE_DONE, 0)));
  const auto listed = store.Handle(MCPS_STORE_LIST, {"o", "k", ""}, 0, 10);
  ASSERT_THAT(listed, ElementsAre(IsFrame(MCPS_STORE_RECORD, 0), IsFrame(MCPS_STORE_DONE, 0)));
  EXPECT_EQ(listed[0].fields[0], "i");
  EXPECT_THAT(store.Handle(MCPS_STORE_GET, key, hour),
              ElementsAre(IsFrame(MCPS_STORE_FAILED, 0, ElementsAre("NOT_FOUND"))));
}

// What is no time, version or limit is refused, and what is no frame changes nothing.
TEST(AbiStore, RefusesWhatCannotBe) {
  Store store;
  const auto refused = ElementsAre(IsFrame(MCPS_STORE_FAILED, 0, ElementsAre("INVALID_ARGUMENT")));
  for (const double time : {-1.0, 0.0, 1e18, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(store.Handle(MCPS_STORE_CREATE, {"o", "k", "i", "data", Bytes(time)}), refused);
  }
  EXPECT_THAT(store.Handle(MCPS_STORE_CREATE, {"o", "k", "i", "data"}), refused);
  EXPECT_THAT(store.Handle(MCPS_STORE_LIST, {"o", "k", ""}, 0, -1), refused);
  for (const std::uint32_t kind : {MCPS_STORE_GET, MCPS_STORE_RECORD, MCPS_OPEN}) {
    EXPECT_THAT(store.Handle(kind, {"o"}), IsMisuse("input frame"));
    EXPECT_EQ(store.returned(), 1);
  }
}

TEST(AbiStore, GoesOnInAnother) {
  Store old;
  const double hour = 3'600'000;
  old.Handle(MCPS_STORE_CREATE, {"o", "k", "i", "data", Bytes(hour)});
  const auto saved = old.Handle(MCPS_STORE_SAVE);
  ASSERT_THAT(saved, ElementsAre(IsFrame(MCPS_STORE_SAVED, 0, SizeIs(1))));
  Store fresh;
  EXPECT_THAT(fresh.Handle(MCPS_STORE_RESTORE, {saved[0].fields[0], Bytes(1000.0)}, 5), IsEmpty());
  EXPECT_EQ(fresh.returned(), 0);
  const auto got = fresh.Handle(MCPS_STORE_GET, {"o", "k", "i"}, 5);
  ASSERT_THAT(got, ElementsAre(IsFrame(MCPS_STORE_RECORD, 0), IsFrame(MCPS_STORE_DONE, 0)));
  EXPECT_EQ(got[0].fields[1], "data");
  EXPECT_THAT(fresh.Handle(MCPS_STORE_RESTORE, {"nonsense", Bytes(0.0)}),
              ElementsAre(IsFrame(MCPS_ERROR, 0)));
  EXPECT_EQ(fresh.returned(), 1);
}

// A server holds the store it stands on.
TEST(AbiStore, OutlivesItsHolderUnderAServer) {
  mcps_store* const store = mcps_store_new("{}", 2);
  Server server(R"({"name":"t","version":"1"})", store);
  mcps_store_delete(store);
  ASSERT_EQ(server.Tool(R"({"name":"make","state":{"makes":"thing"}})"), 0);
  EXPECT_THAT(server.Call(1, "make"), Contains(IsFrame(MCPS_TOOL_CALLED, 1)));
}

TEST(AbiOptions, TakesAll) {
  Server server(R"({"name":"n","version":"v","title":"t","instructions":"i","sessionTtl":1,)"
                R"("sessionMaxLife":2592000000,"maxMessageBytes":1000,"hosts":"loopback",)"
                R"("store":{"maxRecords":1,"maxBytes":100000,"maxRecordBytes":1000}})");
  EXPECT_NE(server.get(), nullptr);
  EXPECT_THAT(Decode(), IsEmpty());
  Server listed(R"({"hosts":{"hosts":["a.example"],"origins":["*"]}})");
  EXPECT_NE(listed.get(), nullptr);
}

TEST(AbiOptions, RefusesWhatIsNoTool) {
  const struct {
    const char* tool;
    const char* message;
  } kCases[] = {
      {"{}", "name"},
      {R"({"name":"a b"})", "name"},
      {R"({"name":"x","inputSchema":true})", "inputSchema"},
      {R"({"name":"x","inputSchema":{"type":"string"}})", "schema"},
      {R"({"name":"x","handler":1})", "unknown option handler"},
      {R"({"name":"x","state":{}})", "state is one of"},
      {R"({"name":"x","state":{"session":false}})", "session"},
      {R"({"name":"x","state":{"makes":"a","takes":"a"}})", "state is one of"},
      {R"({"name":"x","state":{"makes":"a","ttl":0}})", "ttl"},
      {R"({"name":"x","state":{"makes":"No"}})", "kind"},
  };
  Server server;
  for (const auto& [tool, message] : kCases) {
    EXPECT_EQ(server.Tool(tool), 1) << tool;
    EXPECT_THAT(Decode(), IsMisuse(message)) << tool;
  }
  EXPECT_EQ(server.Tool(R"({"name":"x"})"), 0);
  EXPECT_EQ(server.Tool(R"({"name":"x"})"), 1) << "the name is taken";
}

TEST(AbiOptions, RefusesWhatIsNoClient) {
  for (const char* options :
       {"{}x", R"({"era":"old"})", R"({"channel":false})", R"({"requestTimeout":-1})"}) {
    EXPECT_EQ(mcps_client_new(options, std::strlen(options)), nullptr) << options;
    EXPECT_THAT(Decode(), IsMisuse("")) << options;
  }
}

// --- frames ---

TEST(AbiFrames, RefusesEveryBeginningOfAFrame) {
  Server server;
  const std::string frame =
      Encode(MCPS_HTTP_REQUESTED, 1, 0, {"POST", "", "{}", "accept", "application/json"});
  for (std::size_t size = 0; size < frame.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read beyond the end.
    const std::vector<char> part(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(mcps_server_handle(server.get(), part.data(), part.size(), 0), 1) << size;
    EXPECT_THAT(Decode(), IsMisuse("no input frame")) << size;
  }
  EXPECT_THAT(server.Handle(frame), ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 1)));
}

TEST(AbiFrames, RefusesWhatTheKindDoesNotHave) {
  Server server;
  const std::string kCases[] = {
      Encode(MCPS_WOKEN) + "x",                                    // something follows
      Encode(MCPS_WOKEN) + Encode(MCPS_WOKEN),                     // another frame follows
      Encode(MCPS_WOKEN, 0, 0, {"x"}),                             // too many fields
      Encode(MCPS_MESSAGE_ARRIVED, 1),                             // too few
      Encode(MCPS_MESSAGE_ARRIVED, 1, 0, {std::string(kAbsent)}),  // the one is absent
      Encode(MCPS_HTTP_REQUESTED, 1, 0, {"POST", "", std::string(kAbsent)}),
      Encode(MCPS_OPEN),   // a client's
      Encode(MCPS_ERROR),  // output
      Encode(MCPS_SEND, 1, 0, {""}),
      Encode(0xFFFFFFFF),
      Encode(MCPS_WOKEN + 256),
  };
  for (const std::string& frame : kCases) {
    EXPECT_EQ(mcps_server_handle(server.get(), frame.data(), frame.size(), 0), 1);
    EXPECT_THAT(Decode(), IsMisuse("no input frame"));
  }
}

TEST(AbiFrames, SurvivesCountsAndLengthsThatLie) {
  Server server;
  Client client;
  const std::string frame = Encode(MCPS_HTTP_REQUESTED, 1, 0, {"POST", "", "{}", "a", "b"});
  for (std::size_t at = 16; at + 4 <= frame.size(); ++at) {
    for (const std::uint32_t lie : {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
      std::string bad = frame;
      std::memcpy(bad.data() + at, &lie, sizeof lie);
      mcps_server_handle(server.get(), bad.data(), bad.size(), 0);
      Decode();
      mcps_client_handle(client.get(), bad.data(), bad.size(), 0);
      Decode();
    }
  }
}

TEST(AbiFrames, SurvivesNoise) {
  SeededEntropy random(20261122);
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t","state":{"makes":"k"}})"), 0);
  Client client;
  const std::vector<std::string> kText = {"",
                                          "POST",
                                          "{}",
                                          "[]",
                                          "{\"jsonrpc\":\"2.0\"}",
                                          "text/event-stream",
                                          "\xff\xfe",
                                          "null",
                                          "data: {}\n\n",
                                          std::string(kAbsent)};
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> fields;
    for (std::uint64_t n = random.Below(6); n > 0; --n) {
      fields.push_back(kText[random.Below(kText.size())]);
    }
    std::string frame = Encode(static_cast<std::uint32_t>(random.Below(80)), random.Below(5),
                               static_cast<std::int32_t>(random.Below(600)) - 100, fields);
    if (random.Below(3) == 0) {
      frame[random.Below(frame.size())] = static_cast<char>(random.Below(256));
    }
    const double now = static_cast<double>(random.Below(1'000'000));
    mcps_server_handle(server.get(), frame.data(), frame.size(), now);
    Decode();
    mcps_client_handle(client.get(), frame.data(), frame.size(), now);
    Decode();
  }
}

// --- time ---

TEST(AbiTime, StandsWhereTheHostsClockGoesBack) {
  Client client(R"({"name":"t","version":"1","era":"handshake","requestTimeout":1000})");
  EXPECT_EQ(mcps_client_deadline(client.get()), std::numeric_limits<double>::infinity());
  client.Handle(Encode(MCPS_REQUEST, 1, 0, {"ping"}), 5000.75);
  EXPECT_EQ(mcps_client_deadline(client.get()), 6000);
  for (const double now : {0.0, -1.0, std::nan(""), -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::infinity(), 1e300}) {
    EXPECT_THAT(client.Handle(Encode(MCPS_WOKEN), now), IsEmpty()) << now;
  }
  EXPECT_THAT(client.Handle(Encode(MCPS_WOKEN), 6000),
              Contains(IsFrame(MCPS_FAILED, 1, ElementsAre("TIMEOUT", testing::_))));
}

// --- a server's tools ---

TEST(AbiServer, AsksTheHostToRunItsTools) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"add"})"), 0);
  const std::vector<Out> called = server.Call(7, "add", R"({"a":1,"b":"é"})", "alice");
  ASSERT_THAT(called, ElementsAre(IsFrame(
                          MCPS_TOOL_CALLED, 1,
                          ElementsAre("add", R"({"a":1,"b":"é"})", kAbsent, "", "[]", "alice"))));
  EXPECT_EQ(called[0].number, 1) << "the era";
  const std::vector<Out> replied = server.Handle(Encode(MCPS_TOOL_REPLIED, 1, 0, {R"({"sum":3})"}));
  ASSERT_THAT(replied, ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 7)));
  EXPECT_EQ(replied[0].number, 200);
  EXPECT_THAT(replied[0].fields, Contains(HasSubstr(R"("structuredContent":{"sum":3})")));
  EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_REPLIED, 1, 0, {"{}"})), IsEmpty()) << "late";
}

TEST(AbiServer, TakesEveryFormOfResult) {
  const struct {
    const char* result;
    const char* answer;
  } kCases[] = {
      {R"("hello")", R"("content":[{"type":"text","text":"hello"}])"},
      {"[1,2]", R"("structuredContent":[1,2])"},
      {"null", R"("content":[)"},
      {R"({"content":[]})", R"("content":[])"},
      {R"({"content":[],"isError":true})", R"("isError":true)"},
      {R"({"structuredContent":{"a":1}})", R"("text":"{\"a\":1}")"},
      {R"({"content":[],"structuredContent":{"a":1}})", R"("content":[],"structuredContent")"},
      {"(absent)", R"("content":[])"},
  };
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t"})"), 0);
  std::uint64_t run = 0;
  for (const auto& [result, answer] : kCases) {
    ++run;
    ASSERT_THAT(server.Call(run, "t"), ElementsAre(IsFrame(MCPS_TOOL_CALLED, run)));
    EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_REPLIED, run, 0, {result})),
                ElementsAre(IsFrame(MCPS_HTTP_RESPOND, run, Contains(HasSubstr(answer)))));
  }
}

TEST(AbiServer, ComplainsOfWhatIsNoResult) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t","state":{"makes":"k"}})"), 0);
  std::uint64_t run = 0;
  for (const std::vector<std::string>& fields : std::vector<std::vector<std::string>>{
           {"{"}, {R"({"content":1})"}, {"{}", "["}, {"{}", "[]"}, {"\"\xff\""}}) {
    ++run;
    ASSERT_THAT(server.Call(run, "t"), ElementsAre(IsFrame(MCPS_TOOL_CALLED, run)));
    EXPECT_THAT(
        server.Handle(Encode(MCPS_TOOL_REPLIED, run, 0, fields)),
        ElementsAre(IsFrame(MCPS_ERROR, 0),
                    IsFrame(MCPS_HTTP_RESPOND, run, Contains(HasSubstr(R"("isError":true)")))));
  }
}

TEST(AbiServer, KeepsTheStateOfAHandle) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"make","state":{"makes":"basket"}})"), 0);
  ASSERT_EQ(server.Tool(R"({"name":"use","inputSchema":{"type":"object","properties":)"
                        R"({"basket":{"type":"string"}}},"state":{"takes":"basket"}})"),
            0);
  ASSERT_EQ(server.Tool(R"({"name":"list","state":{"lists":"basket"}})"), 0);

  std::vector<Out> out = server.Call(1, "make", "{}", "alice");
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_TOOL_CALLED, 1, SizeIs(6))));
  EXPECT_EQ(out[0].fields[2], "{}");
  const std::string handle = out[0].fields[3];
  EXPECT_THAT(handle, testing::StartsWith("basket_"));
  server.Handle(Encode(MCPS_TOOL_REPLIED, 1, 0, {"{}", R"({"items":["apple"]})"}));

  const std::string arguments = R"({"basket":")" + handle + R"("})";
  out = server.Call(2, "use", arguments, "alice");
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_TOOL_CALLED, 2,
                                       ElementsAre("use", arguments, R"({"items":["apple"]})",
                                                   handle, "[]", "alice"))));
  server.Handle(Encode(MCPS_TOOL_REPLIED, 2, 0, {"{}"}));  // the state as it was

  out = server.Call(3, "list", "{}", "alice");
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_TOOL_CALLED, 3, SizeIs(6))));
  EXPECT_THAT(out[0].fields[4], HasSubstr(R"([{"handle":")" + handle + R"(","expiresIn":)"));
  server.Handle(Encode(MCPS_TOOL_REPLIED, 3, 0, {"[]"}));

  out = server.Call(4, "use", arguments, "mallory");
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 4))) << "not hers";

  server.Call(5, "use", arguments, "alice");
  server.Handle(Encode(MCPS_TOOL_REPLIED, 4, 1, {"{}"}));  // the fourth run ends the handle
  out = server.Call(6, "use", arguments, "alice");
  ASSERT_THAT(out,
              ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 6, Contains(HasSubstr(R"("isError":true)")))));
}

// Two calls load the same state; the one that comes second runs again on what the first saved.
TEST(AbiServer, RunsAHandlerAgainOnNewerState) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"make","state":{"makes":"n"}})"), 0);
  ASSERT_EQ(server.Tool(R"({"name":"use","inputSchema":{"type":"object","properties":)"
                        R"({"n":{"type":"string"}}},"state":{"takes":"n"}})"),
            0);
  const std::string handle = server.Call(1, "make")[0].fields[3];
  server.Handle(Encode(MCPS_TOOL_REPLIED, 1, 0, {"{}"}));
  const std::string arguments = R"({"n":")" + handle + R"("})";
  ASSERT_THAT(server.Call(2, "use", arguments), ElementsAre(IsFrame(MCPS_TOOL_CALLED, 2)));
  ASSERT_THAT(server.Call(3, "use", arguments), ElementsAre(IsFrame(MCPS_TOOL_CALLED, 3)));
  EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_REPLIED, 2, 0, {"{}", R"({"by":2})"})),
              ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 2)));
  const std::vector<Out> again =
      server.Handle(Encode(MCPS_TOOL_REPLIED, 3, 0, {"{}", R"({"by":3})"}));
  ASSERT_THAT(again, ElementsAre(IsFrame(MCPS_TOOL_CALLED, 4, SizeIs(6))));
  EXPECT_EQ(again[0].fields[2], R"({"by":2})");
}

TEST(AbiServer, TellsProgressAndFailure) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t"})"), 0);
  server.Call(1, "t");
  const std::vector<Out> progress =
      server.Handle(Encode(MCPS_TOOL_PROGRESS, 1, 0, {Bytes(1.5), Bytes(3.0), "half"}));
  ASSERT_THAT(progress, ElementsAre(IsFrame(MCPS_HTTP_STREAM, 1), IsFrame(MCPS_HTTP_CHUNK, 1)));
  EXPECT_THAT(progress[1].fields,
              ElementsAre(AllOf(HasSubstr(R"("progress":1.5)"), HasSubstr("half"))));
  EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_PROGRESS, 1, 0, {"short"})), IsEmpty());
  EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_FAILED, 1, 0, {"no luck"})),
              ElementsAre(IsFrame(MCPS_HTTP_CHUNK, 1, ElementsAre(HasSubstr("no luck"))),
                          IsFrame(MCPS_HTTP_END, 1)));
}

TEST(AbiServer, TellsThatACallWasGivenUp) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t"})"), 0);
  server.Call(1, "t");
  EXPECT_THAT(server.Handle(Encode(MCPS_EXCHANGE_CLOSED, 1)),
              ElementsAre(IsFrame(MCPS_TOOL_CANCELLED, 1)));
  EXPECT_THAT(server.Handle(Encode(MCPS_TOOL_REPLIED, 1, 0, {"{}"})), IsEmpty());
}

TEST(AbiServer, ServesAChannel) {
  Server server;
  EXPECT_THAT(server.Handle(Encode(MCPS_CHANNEL_OPENED, 9, 0, {""})), IsEmpty());
  EXPECT_THAT(server.Handle(Encode(MCPS_MESSAGE_ARRIVED, 9, 0,
                                   {R"({"jsonrpc":"2.0","id":1,"method":"ping"})"})),
              ElementsAre(IsFrame(MCPS_SEND, 9, SizeIs(1))));
  EXPECT_THAT(server.Handle(Encode(MCPS_CHANNEL_CLOSED, 9)), IsEmpty());
}

TEST(AbiServer, IsDeletedWhileItsToolsRun) {
  Server server;
  ASSERT_EQ(server.Tool(R"({"name":"t"})"), 0);
  for (std::uint64_t exchange = 1; exchange < 10; ++exchange) server.Call(exchange, "t");
}

TEST(AbiServer, KeepsItsServersApart) {
  Server first;
  ASSERT_EQ(first.Tool(R"({"name":"only_here"})"), 0);
  Server second;
  ASSERT_THAT(first.Call(1, "only_here"), ElementsAre(IsFrame(MCPS_TOOL_CALLED, 1)));
  ASSERT_THAT(second.Call(1, "only_here"), ElementsAre(IsFrame(MCPS_HTTP_RESPOND, 1)));
}

// --- a client ---

TEST(AbiClient, AsksAServerOverHttp) {
  Client client(R"({"name":"t","version":"1","era":"stateless"})");
  std::vector<Out> out = client.Handle(Encode(MCPS_OPEN));
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_HTTP_SEND, 1)));
  EXPECT_EQ(out[0].fields[0], "POST");
  client.Handle(Encode(MCPS_RESPONSE_STARTED, 1, 200, {"application/json", ""}));
  client.Handle(
      Encode(MCPS_RESPONSE_BYTES, 1, 0,
             {R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","supportedVersions":)"
              R"(["2026-07-28"],"capabilities":{},"ttlMs":0,"cacheScope":"public"}})"}));
  out = client.Handle(Encode(MCPS_RESPONSE_ENDED, 1));
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_OPENED, 0, SizeIs(3))));
  EXPECT_EQ(out[0].number, 1);
  EXPECT_EQ(out[0].fields[0], "2026-07-28");

  out = client.Handle(Encode(MCPS_REQUEST, 5, 0, {"tools/call", R"({"name":"t"})", ""}));
  ASSERT_THAT(out, ElementsAre(IsFrame(MCPS_HTTP_SEND, 2)));
  EXPECT_THAT(out[0].fields[1], HasSubstr("progressToken"));
  client.Handle(Encode(MCPS_RESPONSE_STARTED, 2, 200, {"application/json", ""}));
  client.Handle(
      Encode(MCPS_RESPONSE_BYTES, 2, 0,
             {R"({"jsonrpc":"2.0","id":2,"error":{"code":-7,"message":"m","data":[]}})"}));
  EXPECT_THAT(client.Handle(Encode(MCPS_RESPONSE_ENDED, 2)),
              ElementsAre(IsFrame(
                  MCPS_FAILED, 5,
                  ElementsAre("PEER", testing::_, R"({"code":-7,"message":"m","data":[]})"))));
}

TEST(AbiClient, AsksAServerOverAChannel) {
  Client client(R"({"name":"t","version":"1","era":"handshake","channel":true})");
  EXPECT_THAT(client.Handle(Encode(MCPS_OPEN)),
              ElementsAre(IsFrame(MCPS_SEND, 0, ElementsAre(HasSubstr("initialize")))));
  EXPECT_THAT(client.Handle(Encode(MCPS_CHANNEL_CLOSED)),
              Contains(IsFrame(MCPS_OPEN_FAILED, 0, ElementsAre("TRANSPORT", testing::_))));
}

TEST(AbiClient, RefusesParamsThatAreNoObject) {
  Client client;
  const std::string broken = Encode(MCPS_REQUEST, 1, 0, {"m", "{"});
  EXPECT_EQ(mcps_client_handle(client.get(), broken.data(), broken.size(), 0), 1);
  EXPECT_THAT(Decode(), ElementsAre(IsFrame(MCPS_ERROR, 0, Contains("PARSE_ERROR"))));
  EXPECT_THAT(client.Handle(Encode(MCPS_REQUEST, 2, 0, {"m", "[]"})),
              ElementsAre(IsFrame(MCPS_FAILED, 2, Contains("INVALID_ARGUMENT"))));
}

TEST(AbiClient, GivesACallUp) {
  Client client;
  client.Handle(Encode(MCPS_REQUEST, 1, 0, {"tools/list"}));
  EXPECT_THAT(client.Handle(Encode(MCPS_CANCEL, 1)),
              Contains(IsFrame(MCPS_FAILED, 1, Contains("CANCELLED"))));
  EXPECT_THAT(client.Handle(Encode(MCPS_CANCEL, 1)), IsEmpty());
}

}  // namespace
