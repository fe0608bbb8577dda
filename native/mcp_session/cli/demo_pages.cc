#include "mcp_session/cli/demo_pages.h"

#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/cli/demo_files.h"

namespace mcp_session {
namespace {

// By the end of the file's name. Browsers take modules and WebAssembly only under these types.
std::string_view ContentType(std::string_view path) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".wasm", "application/wasm"},
      {".svg", "image/svg+xml"},
      {".json", "application/json"},
  };
  for (const auto& [end, type] : kTypes) {
    if (path.ends_with(end)) return type;
  }
  return "application/octet-stream";
}

}  // namespace

std::vector<HttpPage> DemoPages() {
  constexpr std::string_view kIndex = "index.html";
  std::vector<HttpPage> pages;
  for (const demo::EmbeddedFile& file : demo::EmbeddedFiles()) {
    const std::string type(ContentType(file.path));
    pages.push_back(HttpPage{"/" + std::string(file.path), type, file.bytes});
    // A folder's page is also at the folder.
    if (!file.path.ends_with(kIndex)) continue;
    const std::string_view folder = file.path.substr(0, file.path.size() - kIndex.size());
    if (!folder.empty() && !folder.ends_with('/')) continue;
    pages.push_back(HttpPage{"/" + std::string(folder), type, file.bytes});
  }
  return pages;
}

}  // namespace mcp_session
