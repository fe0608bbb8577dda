// Files for the time of a test program.
#ifndef TESTS_SUPPORT_TEMP_FILE_H_
#define TESTS_SUPPORT_TEMP_FILE_H_

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace mcp_session {

// Writes the file of that name among the temporary ones; its path.
inline std::string WriteFile(const std::string& name, std::string_view text) {
  std::string path = testing::TempDir() + name;
  std::FILE* file = std::fopen(path.c_str(), "w");
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  return path;
}

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_TEMP_FILE_H_
