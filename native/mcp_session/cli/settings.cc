#include "mcp_session/cli/settings.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstddef>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/system/read_file.h"

namespace mcp_session {
namespace {

constexpr std::string_view kPrefix = "MCP_SESSION_";
constexpr std::size_t kMaxFileBytes = 1u << 20;

std::string EnvironmentName(const CLI::Option& option) {
  std::string name(kPrefix);
  for (const char c : option.get_single_name()) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

bool IsList(const CLI::Option& option) {
  return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
  }
  return words;
}

bool IsSetting(const CLI::Option& option) {
  return option.get_single_name() != "config" && option.get_single_name() != "help";
}

// Unless it was given already.
void Give(CLI::Option& option, std::vector<std::string> values) {
  if (option.count() > 0 || values.empty()) return;
  for (std::string& value : values) option.add_result(std::move(value));
  option.run_callback();
}

void GiveEnvironment(CLI::App& command, const Environment& environment) {
  for (CLI::Option* option : command.get_options()) {
    if (!IsSetting(*option)) continue;
    const char* value = environment(EnvironmentName(*option).c_str());
    if (value == nullptr) continue;
    Give(*option, IsList(*option) ? Split(value) : std::vector<std::string>{value});
  }
}

// Answers what is wrong with it.
std::string GiveFile(CLI::App& command, const std::string& path) {
  const Result<std::string> text = ReadSmallFile(path, kMaxFileBytes, "the file");
  if (!text) return "--config: the file cannot be read";
  std::istringstream lines(*text);
  for (CLI::ConfigItem& item : CLI::ConfigTOML().from_config(lines)) {
    if (item.name == "++" || item.name == "--") continue;  // a section begins or ends
    const bool in_section = item.parents == std::vector<std::string>{command.get_name()};
    CLI::Option* option = command.get_option_no_throw("--" + item.name);
    if ((!item.parents.empty() && !in_section) || option == nullptr || !IsSetting(*option)) {
      return "--config: unknown option " + item.fullname();
    }
    Give(*option, std::move(item.inputs));
  }
  return {};
}

}  // namespace

void DefineSettings(CLI::App& command, std::string& config) {
  command.add_option("--config", config, "A file of these options, one a line: port = 8808")
      ->type_name("FILE");
  command.footer(
      "Every option may also stand in the environment (MCP_SESSION_PORT for --port) or in the file "
      "of --config.\nThe command line goes first, then the environment, then the file.");
}

std::string CompleteSettings(CLI::App& command, const std::string& config,
                             const Environment& environment) {
  try {
    GiveEnvironment(command, environment);
    const char* named = environment("MCP_SESSION_CONFIG");
    const std::string path = config.empty() && named != nullptr ? named : config;
    return path.empty() ? std::string() : GiveFile(command, path);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
}

}  // namespace mcp_session
