#include "mcp_session/cli/ask.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/cli/exit.h"
#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/stdio/child_link.h"
#include "mcp_session/system/read_file.h"

namespace mcp_session {
namespace {

constexpr std::string_view kStdio = "stdio:";
constexpr std::size_t kMaxTokenBytes = 16u << 10;
constexpr int kBarWidth = 30;

// What a server says, as it may go to a terminal, which would obey control characters.
std::string ForEyes(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
      },
      '?');
  return text;
}

void Print(const std::string& text) {
  const std::string shown = isatty(STDOUT_FILENO) != 0 ? ForEyes(text) : text;
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  if (shown.empty() || shown.back() != '\n') std::fputc('\n', stdout);
}

std::string AsText(const Json& value) {
  std::string text;
  (void)AppendJson(value, &text);  // it was parsed, so it has a form
  return text;
}

// One line on stderr that is written over again and again; gone at the end.
class ProgressBar {
 public:
  ProgressBar() : shown_(isatty(STDERR_FILENO) != 0) {}
  ~ProgressBar() {
    if (shown_ && drawn_) std::fputs("\r\033[K", stderr);
  }

  void Draw(const Json& params) {
    if (!shown_) return;
    drawn_ = true;
    const double progress = FindNumber(params, "progress").value_or(0);
    const double total = FindNumber(params, "total").value_or(0);
    std::string bar;
    if (total > 0) {
      const double part = std::clamp(progress / total, 0.0, 1.0);
      const auto full = static_cast<std::size_t>(part * kBarWidth);
      bar = "[" + std::string(full, '#') + std::string(kBarWidth - full, '-') + "] " +
            std::to_string(static_cast<int>(part * 100)) + "%";
    } else {
      bar = AsText(Json(progress));
    }
    std::string message = ForEyes(StringOrEmpty(params, "message")).substr(0, 40);
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::fprintf(stderr, "\r\033[K%s %s", bar.c_str(), message.c_str());
  }

 private:
  const bool shown_;
  bool drawn_ = false;
};

Result<std::unique_ptr<ClientLink>> MakeLink(boost::asio::io_context& loop,
                                             const AskOptions& options) {
  if (options.url.starts_with(kStdio)) {
    return MakeChildLink(loop, {.command = {"sh", "-c", options.url.substr(kStdio.size())}});
  }
  HttpLinkOptions link{.url = options.url, .ca_file = options.ca_file};
  if (!options.token_file.empty()) {
    MCPS_TRY(std::string token, ReadSmallFile(options.token_file, kMaxTokenBytes, "the token"));
    token.erase(token.find_last_not_of(" \t\r\n") + 1);
    link.token = FixedToken(std::move(token));
  }
  return MakeHttpLink(loop, std::move(link));
}

int ComplainOf(const ClientError& error) {
  if (!error.rpc) return Complain(error.error);
  return Complain({error.error.code, error.error.blame,
                   error.error.message + ": " + Redact(error.rpc->message)});
}

// The first line.
std::string Gist(const std::string& text) { return text.substr(0, text.find('\n')); }

void PrintTools(const Json& result) {
  for (const Json& tool : *FindArray(result, "tools")) {
    std::string line = StringOrEmpty(tool, "name");
    const std::string about = Gist(StringOrEmpty(tool, "description"));
    if (!about.empty()) line += std::string(line.size() < 23 ? 24 - line.size() : 2, ' ') + about;
    Print(line);
  }
}

void PrintContent(const Json& result) {
  const Json* content = FindArray(result, "content");
  bool said = false;
  for (std::size_t i = 0; content != nullptr && i < content->size(); ++i) {
    const Json& block = (*content)[i];
    const std::string type = StringOrEmpty(block, "type");
    said = true;
    if (type == "text") {
      Print(StringOrEmpty(block, "text"));
    } else if (type == "image" || type == "audio") {
      Print("(" + type + ", " + StringOrEmpty(block, "mimeType") + ", " +
            std::to_string(StringOrEmpty(block, "data").size() / 4 * 3) + " bytes)");
    } else {
      Print(AsText(block));
    }
  }
  const Json* structured = Find(result, "structuredContent");
  if (!said && structured != nullptr) Print(AsText(*structured));
}

}  // namespace

int Ask(const AskOptions& options) {
  signal(SIGPIPE, SIG_IGN);
  Json arguments;
  if (!options.arguments.empty()) {
    Result<Json> parsed = ParseJson(options.arguments);
    if (!parsed || !parsed->is_object()) {
      return Complain({ErrorCode::kInvalidArgument, Blame::kCaller,
                       "the arguments of a tool are a JSON object"});
    }
    arguments = std::move(*parsed);
  }
  auto client = BlockingClient::Make(
      [&options](boost::asio::io_context& loop) { return MakeLink(loop, options); },
      {.name = "mcp-session"});
  if (!client) return Complain(client.error());
  ProgressBar bar;
  CallSettings settings;
  if (options.timeout != 0) settings.timeout = Seconds(options.timeout);
  settings.on_progress = [&bar](const Json& params) { bar.Draw(params); };
  const bool lists = options.action == AskOptions::Action::kTools;
  if (lists) settings.on_progress = nullptr;
  const ClientResult<Json> result =
      lists ? (*client)->ListTools(settings)
            : (*client)->CallTool(options.tool, std::move(arguments), settings);
  (*client)->Close();
  if (!result) return ComplainOf(result.error());
  if (options.json) {
    Print(AsText(*result));
  } else if (lists) {
    PrintTools(*result);
  } else {
    PrintContent(*result);
  }
  return FindBool(*result, "isError") == true ? kFailed : kSucceeded;
}

}  // namespace mcp_session
