// embed OUT.h OUT.cc NAMESPACE PATH FILE [PATH FILE]...
//
// Writes the files as C++: OUT.h declares a table of {path, bytes}, OUT.cc defines
// it. String literals, because compilers read them far quicker than lists of
// numbers.

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view kHeader = R"(#ifndef @GUARD@
#define @GUARD@

#include <span>
#include <string_view>

namespace @NAMESPACE@ {

struct EmbeddedFile {
  std::string_view path;
  std::string_view bytes;
};

// All files, by path. They live as long as the program.
std::span<const EmbeddedFile> EmbeddedFiles();

// Null when no file has that path.
const EmbeddedFile* FindEmbeddedFile(std::string_view path);

}  // namespace @NAMESPACE@

#endif  // @GUARD@
)";

constexpr std::string_view kFunctions = R"(
}  // namespace

std::span<const EmbeddedFile> EmbeddedFiles() { return {kFiles, kCount}; }

const EmbeddedFile* FindEmbeddedFile(std::string_view path) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace @NAMESPACE@
)";

using Replacements = std::vector<std::pair<std::string_view, std::string_view>>;

std::string Fill(std::string_view pattern, const Replacements& replacements) {
  std::string text(pattern);
  for (const auto& [name, value] : replacements) {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size()) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

std::string Guard(std::string_view path) {
  std::string guard;
  for (const char c : path) {
    if (c >= 'a' && c <= 'z') {
      guard += static_cast<char>(c - 'a' + 'A');
    } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      guard += c;
    } else {
      guard += '_';
    }
  }
  return guard + '_';
}

// Octal escapes have three digits at most, so what follows never joins them.
void AppendLiteral(std::string_view bytes, std::string& out) {
  constexpr std::size_t kPerLine = 96;
  for (std::size_t at = 0; at == 0 || at < bytes.size(); at += kPerLine) {
    out += "\n    \"";
    for (const char c : bytes.substr(at, kPerLine)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\' || c == '?') {
        out += '\\';
        out += c;
      } else if (byte >= 0x20 && byte < 0x7f) {
        out += c;
      } else {
        out += '\\';
        out += static_cast<char>('0' + (byte >> 6));
        out += static_cast<char>('0' + ((byte >> 3) & 7));
        out += static_cast<char>('0' + (byte & 7));
      }
    }
    out += '"';
  }
}

bool Write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) std::cerr << "embed: cannot write " << path << '\n';
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 3 || args.size() % 2 == 0) {
    std::cerr << "usage: embed OUT.h OUT.cc NAMESPACE [PATH FILE]...\n";
    return 2;
  }
  std::vector<std::pair<std::string, std::string>> files;
  for (std::size_t i = 3; i < args.size(); i += 2) files.emplace_back(args[i], args[i + 1]);
  std::sort(files.begin(), files.end());
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i].first == files[i - 1].first) {
      std::cerr << "embed: two files have the path " << files[i].first << '\n';
      return 1;
    }
  }

  std::string data;
  std::string table;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::ifstream in(files[i].second, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.is_open() || in.bad()) {
      std::cerr << "embed: cannot read " << files[i].second << '\n';
      return 1;
    }
    data += "constexpr char kFile" + std::to_string(i) + "[] =";
    AppendLiteral(bytes, data);
    data += ";\n\n";
    table += "    {";
    AppendLiteral(files[i].first, table);
    table += ", {kFile" + std::to_string(i) + ", " + std::to_string(bytes.size()) + "}},\n";
  }

  const std::string header_name = args[0].substr(args[0].rfind('/') + 1);
  const std::string guard = Guard(args[2] + "_" + header_name);
  const Replacements replacements = {{"@GUARD@", guard}, {"@NAMESPACE@", args[2]}};
  const std::string count = std::to_string(files.size());
  const std::string body = "#include \"" + header_name + "\"\n\n#include <cstddef>\n\nnamespace " +
                           args[2] + " {\nnamespace {\n\n" + data +
                           "constexpr std::size_t kCount = " + count +
                           ";\nconstexpr EmbeddedFile kFiles[kCount + 1] = {\n" + table + "};\n";
  return Write(args[0], Fill(kHeader, replacements)) &&
                 Write(args[1], body + Fill(kFunctions, replacements))
             ? 0
             : 1;
}
