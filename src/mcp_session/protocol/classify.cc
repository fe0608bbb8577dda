#include "mcp_session/protocol/classify.h"

#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

const Json* FindMeta(const Json& params) { return FindObject(params, "_meta"); }

bool IsStateless(std::string_view revision) {
  const auto known = ParseRevision(revision);
  return known && EraOf(*known) == Era::kStateless;
}

// Names of the served stateless revisions, newest first (D-04: no handshake revision here, for a
// client would send it by metadata again).
Json ServedStateless() {
  Json names = EmptyArray();
  names.push_back(std::string(RevisionName(kNewestStateless)));
  return names;
}

}  // namespace

Refusal MakeRefusal(ErrorCode code, std::string message) {
  return Refusal{Error{code, Blame::kPeer, std::move(message)}, HttpStatus(code), std::nullopt};
}

Refusal UnsupportedVersion(std::string_view requested) {
  Refusal refusal = MakeRefusal(ErrorCode::kUnsupportedVersion, "unsupported protocol version");
  Json data = EmptyObject();
  data["supported"] = ServedStateless();
  data["requested"] = std::string(requested);
  refusal.data = std::move(data);
  return refusal;
}

Classification Classify(std::string_view method, const Json& params,
                        std::optional<std::string_view> version_header) {
  const Json* meta = FindMeta(params);
  const bool in_meta = meta != nullptr && Find(*meta, kMetaProtocolVersion) != nullptr;
  if (in_meta) return {Era::kStateless, std::nullopt};
  if (!version_header || !IsStateless(*version_header)) return {Era::kHandshake, std::nullopt};
  if (method == "initialize") {
    return {Era::kHandshake, MakeRefusal(ErrorCode::kHeaderMismatch,
                                         "initialize does not belong to this protocol version")};
  }
  return {Era::kStateless, std::nullopt};
}

tl::expected<Envelope, Refusal> ReadEnvelope(const Json& params,
                                             std::optional<std::string_view> version_header) {
  const auto missing = [](const char* what) {
    Refusal refusal = MakeRefusal(ErrorCode::kInvalidParams, what);
    refusal.http_status = 400;  // S-04, though -32602 is 200 elsewhere
    return tl::unexpected<Refusal>(std::move(refusal));
  };
  const Json* meta = FindMeta(params);
  if (meta == nullptr) return missing("params._meta is missing");
  const std::string* version = FindString(*meta, kMetaProtocolVersion);
  if (version == nullptr) return missing("_meta has no protocolVersion");
  const Json* capabilities = FindObject(*meta, kMetaClientCapabilities);
  if (capabilities == nullptr) return missing("_meta has no clientCapabilities");
  if (version_header && *version_header != *version) {
    return tl::unexpected<Refusal>(MakeRefusal(
        ErrorCode::kHeaderMismatch, "MCP-Protocol-Version differs from the body's version"));
  }
  if (!IsStateless(*version)) return tl::unexpected<Refusal>(UnsupportedVersion(*version));
  return Envelope{*ParseRevision(*version), capabilities};
}

}  // namespace mcp_session
