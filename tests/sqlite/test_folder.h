// A folder for the files of a test.
#ifndef TESTS_SQLITE_TEST_FOLDER_H_
#define TESTS_SQLITE_TEST_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

namespace mcp_session {

// Goes with all that is in it.
class TestFolder {
 public:
  TestFolder() {
    path_ = (std::filesystem::temp_directory_path() / "mcps-file-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name = "sessions.db") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace mcp_session

#endif  // TESTS_SQLITE_TEST_FOLDER_H_
