#include "mcp_session/store/store.h"

namespace mcp_session {

std::string_view StateName(StoreState state) {
  switch (state) {
    case StoreState::kConnected:
      return "connected";
    case StoreState::kConnecting:
      return "connecting";
    case StoreState::kUnavailable:
      return "unavailable";
    case StoreState::kMisconfigured:
      return "misconfigured";
    case StoreState::kDegraded:
      return "degraded";
  }
  return "";
}

}  // namespace mcp_session
