#include "mcp_session/cli/serve_auth.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/auth/jwks_fetch.h"
#include "mcp_session/auth/jwt_authenticator.h"
#include "mcp_session/auth/static_token_authenticator.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

auto Wrong(const char* complaint) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, complaint);
}

Result<JwksSource> SourceOf(const ServeOptions& options, boost::asio::io_context& loop) {
  if (options.jwks.find("://") == std::string::npos) return JwksFromFile(options.jwks);
  return JwksFromUrl(loop, {.url = options.jwks, .ca_file = options.jwks_ca});
}

Result<std::unique_ptr<Authenticator>> MakeJwtAuthenticator(const ServeOptions& options,
                                                            boost::asio::io_context& loop) {
  if (options.issuer.empty()) return Wrong("--jwks needs --issuer: whose keys are they?");
  JwtOptions jwt;
  jwt.issuer = options.issuer;
  jwt.audiences = options.audiences;
  if (jwt.audiences.empty() && !options.resource.empty()) jwt.audiences = {options.resource};
  if (jwt.audiences.empty()) {
    return Wrong("--jwks needs --resource: what are tokens for this server made out to?");
  }
  jwt.log = [](std::string_view line) { Log(LogSeverity::kWarning, "no_keys", line); };
  MCPS_TRY(JwksSource source, SourceOf(options, loop));
  return std::make_unique<JwtAuthenticator>(std::move(jwt), std::move(source));
}

}  // namespace

bool WantsTokens(const ServeOptions& options) {
  return !options.tokens.empty() || !options.jwks.empty();
}

Result<std::unique_ptr<Authenticator>> MakeAuthenticator(const ServeOptions& options,
                                                         boost::asio::io_context& loop) {
  const bool described = !options.issuer.empty() || !options.audiences.empty() ||
                         !options.authorization_servers.empty() || !options.scopes.empty() ||
                         options.protect_metrics;
  if (!WantsTokens(options)) {
    if (described) return Wrong("who verifies tokens? Give --jwks or --tokens");
    return std::unique_ptr<Authenticator>();
  }
  if (!options.tokens.empty() && !options.jwks.empty()) {
    return Wrong("--tokens and --jwks exclude each other");
  }
  if (options.stdio) return Wrong("there are no tokens over stdio");
  if (!options.jwks.empty()) return MakeJwtAuthenticator(options, loop);
  MCPS_TRY(const std::vector<StaticToken> tokens, ReadStaticTokens(options.tokens));
  return std::make_unique<StaticTokenAuthenticator>(tokens);
}

HttpAuthOptions ToAuthOptions(const ServeOptions& options, Authenticator* authenticator) {
  HttpAuthOptions auth;
  auth.authenticator = authenticator;
  auth.resource = options.resource;
  auth.authorization_servers = options.authorization_servers;
  if (auth.authorization_servers.empty() && !options.issuer.empty()) {
    auth.authorization_servers = {options.issuer};
  }
  auth.required_scopes = options.scopes;
  return auth;
}

}  // namespace mcp_session
