#include "wasm/abi_options.h"

#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/client/saved_session.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session::abi {
namespace {

// A member that options may have, and where it goes. What is absent leaves its place alone.
struct Member {
  enum Type {
    kText,       // std::string
    kTexts,      // std::vector<std::string>
    kTrue,       // bool; only true is allowed
    kObject,     // Json
    kAny,        // Json; read by somebody else
    kSize,       // std::size_t, from 1 to 2^31 - 1
    kTime,       // Millis, from 1 to kMaxLifetime
    kMaybeTime,  // std::optional<Millis>, the same
  };
  const char* name;
  Type type;
  void* place;
};

bool ReadTexts(const Json& value, std::vector<std::string>* texts) {
  const auto* elements = value.get_ptr<const Json::array_t*>();
  if (elements == nullptr) return false;
  for (const Json& each : *elements) {
    const std::string* text = AsString(each);
    if (text == nullptr) return false;
    texts->push_back(*text);
  }
  return true;
}

bool ReadMember(const Json& value, Member::Type type, void* place) {
  const std::int64_t number = AsInteger(value).value_or(0);
  const bool is_time = number > 0 && number <= kMaxLifetime.count;
  switch (type) {
    case Member::kText:
      if (!value.is_string()) return false;
      *static_cast<std::string*>(place) = *AsString(value);
      return true;
    case Member::kTexts:
      return ReadTexts(value, static_cast<std::vector<std::string>*>(place));
    case Member::kTrue:
      *static_cast<bool*>(place) = true;
      return value.is_boolean() && *value.get_ptr<const bool*>();
    case Member::kObject:
      if (!value.is_object()) return false;
      [[fallthrough]];
    case Member::kAny:
      *static_cast<Json*>(place) = value;
      return true;
    case Member::kSize:
      if (number < 1 || number > std::numeric_limits<std::int32_t>::max()) return false;
      *static_cast<std::size_t*>(place) = static_cast<std::size_t>(number);
      return true;
    case Member::kTime:
      if (is_time) static_cast<Millis*>(place)->count = number;
      return is_time;
    case Member::kMaybeTime:
      if (is_time) *static_cast<std::optional<Millis>*>(place) = Millis{number};
      return is_time;
  }
  return false;
}

Result<void> Misuse(std::string message) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, std::move(message));
}

Result<void> Read(const Json& options, std::span<const Member> members) {
  const auto* object = options.get_ptr<const Json::object_t*>();
  if (object == nullptr) return Misuse("options must be an object");
  for (const auto& [name, value] : *object) {
    const Member* member = nullptr;
    for (const Member& each : members) {
      if (name == each.name) member = &each;
    }
    if (member == nullptr) return Misuse("unknown option " + name);
    if (!ReadMember(value, member->type, member->place)) {
      return Misuse("wrong value of option " + name);
    }
  }
  return {};
}

Result<void> Parse(std::string_view json, std::span<const Member> members) {
  const Result<Json> options = ParseJson(json);
  return options ? Read(*options, members) : Misuse("options must be JSON");
}

Result<void> ReadHosts(const Json& value, HostPolicy* policy) {
  if (const std::string* name = AsString(value); name != nullptr && *name == "loopback") {
    *policy = LoopbackHosts();
    return {};
  }
  const Member members[] = {
      {"hosts", Member::kTexts, &policy->hosts},
      {"origins", Member::kTexts, &policy->origins},
  };
  return Read(value, members);
}

Result<void> ReadStateUse(const Json& value, StateUse* use) {
  using Kind = StateUse::Kind;
  bool session = false;
  std::string makes, takes, lists;
  const Member members[] = {
      {"session", Member::kTrue, &session},
      {"makes", Member::kText, &makes},
      {"ttl", Member::kMaybeTime, &use->lifetime.idle_ttl},
      {"maxLife", Member::kMaybeTime, &use->lifetime.max_life},
      {"anonymousTtl", Member::kTime, &use->anonymous_ttl},
      {"takes", Member::kText, &takes},
      {"argument", Member::kText, &use->argument},
      {"lists", Member::kText, &lists},
  };
  const Result<void> read = Read(value, members);
  if (!read) return read;
  if (session + !makes.empty() + !takes.empty() + !lists.empty() != 1) {
    return Misuse("state is one of session, makes, takes and lists");
  }
  use->kind = session          ? Kind::kSession
              : !makes.empty() ? Kind::kNewHandle
              : !takes.empty() ? Kind::kHandle
                               : Kind::kList;
  use->handle_kind = makes + takes + lists;
  if (use->argument.empty()) use->argument = use->handle_kind;
  return {};
}

Result<void> ReadStore(const Json& value, MemoryStoreOptions* store) {
  const Member members[] = {
      {"maxRecords", Member::kSize, &store->max_records},
      {"maxBytes", Member::kSize, &store->max_bytes},
      {"maxRecordBytes", Member::kSize, &store->max_record_bytes},
      {"maxRecordsPerOwner", Member::kSize, &store->max_records_per_owner},
  };
  return Read(value, members);
}

}  // namespace

Result<void> ReadStoreOptions(std::string_view json, MemoryStoreOptions* store) {
  const Result<Json> options = ParseJson(json);
  return options ? ReadStore(*options, store) : Misuse("options must be JSON");
}

Result<void> ReadServerOptions(std::string_view json, ServerSetup* setup) {
  ServerOptions& options = setup->options;
  Json hosts;
  Json store;
  const Member members[] = {
      {"name", Member::kText, &options.name},
      {"version", Member::kText, &options.version},
      {"title", Member::kText, &options.title},
      {"instructions", Member::kText, &options.instructions},
      {"sessionTtl", Member::kMaybeTime, &options.session_lifetime.idle_ttl},
      {"sessionMaxLife", Member::kMaybeTime, &options.session_lifetime.max_life},
      {"maxMessageBytes", Member::kSize, &options.limits.max_message_bytes},
      {"hosts", Member::kAny, &hosts},
      {"store", Member::kObject, &store},
  };
  Result<void> read = Parse(json, members);
  if (read && !hosts.is_null()) read = ReadHosts(hosts, &options.hosts);
  if (read && !store.is_null()) read = ReadStore(store, &setup->store);
  return read;
}

Result<void> ReadTool(std::string_view json, Tool* tool) {
  Json state;
  const Member members[] = {
      {"name", Member::kText, &tool->name},
      {"title", Member::kText, &tool->title},
      {"description", Member::kText, &tool->description},
      {"inputSchema", Member::kObject, &tool->input_schema},
      {"outputSchema", Member::kObject, &tool->output_schema},
      {"annotations", Member::kObject, &tool->annotations},
      {"state", Member::kObject, &state},
  };
  Result<void> read = Parse(json, members);
  if (read && !state.is_null()) read = ReadStateUse(state, &tool->state);
  return read;
}

Result<void> ReadClientOptions(std::string_view json, ClientSetup* setup) {
  ClientOptions* const options = &setup->options;
  std::string era;
  std::string session;
  bool channel = false;
  bool expects_handshake = false;
  const Member members[] = {
      {"name", Member::kText, &options->name},
      {"version", Member::kText, &options->version},
      {"capabilities", Member::kObject, &options->capabilities},
      {"requestTimeout", Member::kTime, &options->request_timeout},
      {"maxRequestTime", Member::kTime, &options->max_request_time},
      {"probeTimeout", Member::kTime, &options->probe_timeout},
      {"channel", Member::kTrue, &channel},
      {"era", Member::kText, &era},
      {"asked", Member::kTrue, &setup->asked},
      {"expectsHandshake", Member::kTrue, &expects_handshake},
      {"listen", Member::kTrue, &options->listens},
      {"session", Member::kText, &session},
  };
  Result<void> read = Parse(json, members);
  if (read && !session.empty()) {
    Result<client_effect::Opened> saved = DecodeSavedSession(session);
    if (!saved) return Misuse(saved.error().message);
    options->resume = *std::move(saved);
  }
  if (expects_handshake) options->expected_era = Era::kHandshake;
  if (channel) options->transport = ClientTransport::kChannel;
  if (era == "handshake") {
    options->era = Era::kHandshake;
  } else if (era == "stateless") {
    options->era = Era::kStateless;
  } else if (read && !era.empty() && era != "auto") {
    read = Misuse("era is auto, handshake or stateless");
  }
  return read;
}

}  // namespace mcp_session::abi
