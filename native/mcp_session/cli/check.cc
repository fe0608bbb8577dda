#include "mcp_session/cli/check.h"

#include <cstdio>
#include <string>

#include "mcp_session/cli/exit.h"
#include "mcp_session/factory/open_admin.h"
#include "mcp_session/factory/store_url.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

const char* Mark(CheckLine::Verdict verdict) {
  switch (verdict) {
    case CheckLine::Verdict::kGood:
      return "ok";
    case CheckLine::Verdict::kWarning:
      return "warn";
    case CheckLine::Verdict::kBad:
      return "bad";
  }
  return "";
}

void Print(const CheckLine& line) {
  std::printf("%-5s %-14s %s\n", Mark(line.verdict), line.subject.c_str(), line.text.c_str());
}

}  // namespace

int Check(const CheckOptions& options) {
  const Result<StoreUrl> url = ParseStoreUrl(options.store);
  if (url && url->scheme == StoreScheme::kMemory) {
    Print({CheckLine::Verdict::kGood, "memory",
           "lives in the process that serves, and is gone with it"});
    return kSucceeded;
  }
  const auto admin = OpenStoreAdmin(options.store, AdminOptions(options.prefix), /*create=*/false);
  if (!admin) return Complain(admin.error());
  bool good = true;
  for (const CheckLine& line : (*admin)->Check()) {
    Print(line);
    good = good && line.verdict != CheckLine::Verdict::kBad;
  }
  return good ? kSucceeded : kFailed;
}

}  // namespace mcp_session
