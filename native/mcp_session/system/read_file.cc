#include "mcp_session/system/read_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace mcp_session {

Result<std::string> ReadSmallFile(const std::string& path, std::size_t max_bytes,
                                  std::string_view what) {
  const auto failure = [&](const std::string& why) {
    return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment,
                   "cannot read " + std::string(what) + ": " + why);
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             &std::fclose);
  if (file == nullptr) return failure(std::generic_category().message(errno));
  std::string text(max_bytes + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failure(std::generic_category().message(errno));
  if (text.size() > max_bytes) return failure("it is too large");
  return text;
}

}  // namespace mcp_session
