#include "tests/redis/documented_user.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

namespace mcp_session {
namespace {

constexpr std::string_view kStart = "ACL SETUSER sessions ";
constexpr std::string_view kEnd = "```";

}  // namespace

std::vector<std::string> DocumentedUser() {
  std::ifstream file("docs/redis.md");
  std::ostringstream all;
  all << file.rdbuf();
  const std::string text = all.str();
  const std::size_t start = text.find(kStart);
  if (start == std::string::npos) {
    std::fprintf(stderr, "docs/redis.md has no ACL SETUSER\n");
    std::abort();
  }
  std::istringstream words(text.substr(start, text.find(kEnd, start) - start));
  std::vector<std::string> user;
  for (std::string word; words >> word;) user.push_back(word == ">PASSWORD" ? ">secret" : word);
  return user;
}

std::vector<std::string> DocumentedCommands() {
  std::vector<std::string> commands;
  for (const std::string& word : DocumentedUser()) {
    if (word.starts_with('+')) commands.push_back(word.substr(1));
  }
  return commands;
}

}  // namespace mcp_session
