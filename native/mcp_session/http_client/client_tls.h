// What TLS takes to ask an HTTP server.
#ifndef MCP_SESSION_HTTP_CLIENT_CLIENT_TLS_H_
#define MCP_SESSION_HTTP_CLIENT_CLIENT_TLS_H_

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

namespace mcp_session {

// TLS 1.2 or newer, trusting the certificates in `ca_file`, or those that the system trusts if it
// is empty. Null: they cannot be read. Names are checked per connection.
std::shared_ptr<boost::asio::ssl::context> MakeClientTls(const std::string& ca_file);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CLIENT_CLIENT_TLS_H_
