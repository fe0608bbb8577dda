#include "mcp_session/server/resources.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/completions.h"
#include "mcp_session/server/listing.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

struct ResourceCall::State : HandlerCall::State {
  using HandlerCall::State::State;
  std::shared_ptr<const ReadableResource> resource;
  std::string uri;
  Json variables = EmptyObject();
  Result<ResourceResult> result;
};

namespace {

constexpr std::int64_t kResourceNotFound = -32002;  // up to 2025-11-25 (F-06)

// The members that resources and templates have.
template <typename T>
Json Describe(const char* uri_member, const std::string& uri, const T& resource) {
  Json described = EmptyObject();
  described[uri_member] = uri;
  described["name"] = resource.name;
  AddText("title", resource.title, &described);
  AddText("description", resource.description, &described);
  AddText("mimeType", resource.mime_type, &described);
  AddMember("annotations", resource.annotations, &described);
  AddMember("icons", resource.icons, &described);
  AddMember("_meta", resource.meta, &described);
  return described;
}

}  // namespace

ResourceResult ResourceResult::Text(std::string text) {
  ResourceResult result;
  result.contents.push_back(TextContents(std::move(text)));
  return result;
}

ResourceResult ResourceResult::Blob(std::string_view bytes) {
  ResourceResult result;
  result.contents.push_back(BlobContents(bytes));
  return result;
}

ResourceCall::ResourceCall(std::shared_ptr<HandlerCall::State> state)
    : AskingCall(std::move(state)) {}

ResourceCall::State& ResourceCall::own() const { return static_cast<State&>(*state_); }

const std::string& ResourceCall::uri() const { return own().uri; }

std::string ResourceCall::Variable(std::string_view name) const {
  return StringOrEmpty(own().variables, name);
}

void ResourceCall::Reply(Result<ResourceResult> result) {
  if (!state_->running) return;
  own().result = std::move(result);
  Answered();
}

Result<void> McpServer::RegisterResource(Resource resource, ResourceHandler handler) {
  return state_->Register<Resources>(std::move(resource), std::move(handler));
}

Result<void> McpServer::RegisterResource(ResourceTemplate resource, ResourceHandler handler) {
  return state_->Register<Resources>(std::move(resource), std::move(handler));
}

Result<void> Resources::Register(Resource resource, ResourceHandler handler) {
  if (resource.uri.find(':') == std::string::npos) return Refuse("a URI has a scheme");
  Json described = Describe("uri", resource.uri, resource);
  if (resource.size) described["size"] = *resource.size;
  return Keep(ReadableResource{std::move(resource.uri), std::nullopt, std::move(resource.mime_type),
                               resource.cache, std::move(handler)},
              resource.name, described, &listed_);
}

Result<void> Resources::Register(ResourceTemplate resource, ResourceHandler handler) {
  MCPS_TRY(UriTemplate form, UriTemplate::Parse(resource.uri_template));
  const Json described = Describe("uriTemplate", resource.uri_template, resource);
  return Keep(ReadableResource{std::move(resource.uri_template), std::move(form),
                               std::move(resource.mime_type), resource.cache, std::move(handler)},
              resource.name, described, &listed_templates_);
}

Result<void> Resources::Keep(ReadableResource readable, std::string_view name,
                             const Json& described, std::vector<std::string>* listed) {
  if (name.empty()) return Refuse("a resource has a name");
  if (readable.cache.ttl < Millis{0}) return Refuse("a ttl is not negative");
  for (const Readable& other : resources_) {
    if (other->uri == readable.uri) return Refuse("a resource of this URI is registered");
  }
  std::string text;
  if (!AppendJson(described, &text)) return Refuse("the resource's texts are not UTF-8");
  listed->push_back(std::move(text));
  resources_.push_back(std::make_shared<const ReadableResource>(std::move(readable)));
  return {};
}

bool McpServer::RemoveResource(std::string_view uri) {
  if (auto* completions = state_->Find<Completions>()) completions->RemoveOf({}, uri);
  auto* resources = state_->Find<Resources>();
  return resources != nullptr && resources->Remove(uri);
}

bool Resources::Remove(std::string_view uri) {
  const auto found = std::find_if(resources_.begin(), resources_.end(),
                                  [&](const Readable& resource) { return resource->uri == uri; });
  if (found == resources_.end()) return false;
  const bool templated = (*found)->form.has_value();
  const auto place = std::count_if(resources_.begin(), found, [&](const Readable& resource) {
    return resource->form.has_value() == templated;
  });
  std::vector<std::string>& listed = templated ? listed_templates_ : listed_;
  listed.erase(listed.begin() + place);
  resources_.erase(found);
  return true;
}

const UriTemplate* Resources::FindTemplate(std::string_view uri_template) const {
  for (const Readable& resource : resources_) {
    if (resource->form && resource->uri == uri_template) return &*resource->form;
  }
  return nullptr;
}

// A resource of exactly this URI goes before the templates, of which the first that fits is taken.
Resources::Readable Resources::Find(std::string_view uri, Json* variables) const {
  for (const Readable& resource : resources_) {
    if (!resource->form && resource->uri == uri) return resource;
  }
  for (const Readable& resource : resources_) {
    if (!resource->form) continue;
    if (auto matched = resource->form->Match(uri)) {
      *variables = std::move(*matched);
      return resource;
    }
  }
  return nullptr;
}

bool Resources::HandleCall(Call& call) {
  if (call.method == "resources/read") {
    Read(std::move(call));
  } else if (call.method == "resources/list") {
    AnswerList(server_, call, "resources", listed_);
  } else if (call.method == "resources/templates/list") {
    AnswerList(server_, call, "resourceTemplates", listed_templates_);
  } else {
    return false;
  }
  return true;
}

void Resources::Read(Call call) {
  const std::string* uri = FindString(call.params, "uri");
  if (uri == nullptr) {
    return server_.engine.Fail(call.id, ErrorCode::kInvalidParams, "params.uri is missing",
                               server_.effects);
  }
  Json variables = EmptyObject();
  Readable resource = Find(*uri, &variables);
  if (resource == nullptr) return TellMissing(call.id, call.era(), *uri);
  std::string read = *uri;
  const auto running =
      std::make_shared<ResourceCall::State>(server_.weak_from_this(), *this, std::move(call));
  running->resource = std::move(resource);
  running->uri = std::move(read);
  running->variables = std::move(variables);
  Run(running);
}

void Resources::Run(const Running& call) {
  RunHandler(server_, call, [](const Running& of) {
    static_cast<ResourceCall::State&>(*of).resource->handler(ResourceCall(of));
  });
}

void Resources::RunAgain(const Running& call) {
  auto& own = static_cast<ResourceCall::State&>(*call);
  const auto again =
      std::make_shared<ResourceCall::State>(server_.weak_from_this(), *this, std::move(call->call));
  again->asking = std::move(call->asking);
  again->resource = own.resource;
  again->uri = std::move(own.uri);
  again->variables = std::move(own.variables);
  Run(again);
}

void Resources::TellMissing(CallId id, Era era, const std::string& uri) {
  RpcError error;
  error.code =
      era == Era::kHandshake ? kResourceNotFound : JsonRpcNumber(ErrorCode::kInvalidParams);
  error.message = "resource not found";
  error.data = EmptyObject();
  (*error.data)["uri"] = uri;
  server_.engine.Fail(id, error, 200, server_.effects);  // in band
}

void Resources::HandleAnswer(const Running& call) {
  auto& own = static_cast<ResourceCall::State&>(*call);
  const bool missing =
      own.result ? own.result->contents.empty() : own.result.error().code == ErrorCode::kNotFound;
  if (missing) {
    server_.Close(call->call.id);
    return TellMissing(call->call.id, call->call.era(), own.uri);
  }
  if (!own.result) return FailCall(server_, call, own.result.error());
  for (Json& contents : own.result->contents) {
    if (mcp_session::Find(contents, "uri") == nullptr) contents["uri"] = own.uri;
    const std::string& mime_type = own.resource->mime_type;
    if (mime_type.empty() || mcp_session::Find(contents, "mimeType") != nullptr) continue;
    contents["mimeType"] = mime_type;
  }
  std::string members = "\"contents\":";
  const bool valid = AppendJson(own.result->contents, &members);
  AppendCaching(call->call, own.resource->cache.ttl, own.resource->cache.shared, &members);
  AnswerCall(server_, call, valid, members);
}

}  // namespace mcp_session
