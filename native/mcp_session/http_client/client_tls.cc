#include "mcp_session/http_client/client_tls.h"

#include <boost/system/error_code.hpp>

namespace mcp_session {

std::shared_ptr<boost::asio::ssl::context> MakeClientTls(const std::string& ca_file) {
  using boost::asio::ssl::context;
  boost::system::error_code error;
  auto tls = std::make_shared<context>(context::tls_client);
  tls->set_options(context::no_tlsv1 | context::no_tlsv1_1, error);
  if (ca_file.empty()) {
    tls->set_default_verify_paths(error);
  } else {
    tls->load_verify_file(ca_file, error);
  }
  return error ? nullptr : tls;
}

}  // namespace mcp_session
