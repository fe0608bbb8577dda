#include "tests/transcripts/transcript.h"

#include <charconv>
#include <optional>

namespace mcp_session {
namespace {

constexpr std::string_view kMarkers = "><~!#@";

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// The text up to the next space, which goes as well.
std::string_view TakeWord(std::string_view* text) {
  const std::size_t space = text->find(' ');
  const std::string_view word = text->substr(0, space);
  text->remove_prefix(space == std::string_view::npos ? text->size() : space + 1);
  return word;
}

std::optional<std::int64_t> ReadNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Millis> ReadTime(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> number = ReadNumber(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  if (!number) return std::nullopt;
  if (unit == "ms") return Millis{*number};
  if (unit == "s") return Seconds(*number);
  if (unit == "m") return Minutes(*number);
  if (unit == "h") return Hours(*number);
  return std::nullopt;
}

bool IsName(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
}

// A marker's line and what follows it up to the next one, without blank lines at the end.
struct Block {
  std::size_t line = 0;  // from 1
  std::vector<std::string_view> lines;
};

class Parser {
 public:
  Result<Transcript> Parse(std::string_view text) {
    for (const Block& block : SplitBlocks(text)) {
      const std::string problem = ParseBlock(block);
      if (problem.empty()) continue;
      return Failure(ErrorCode::kParseError, Blame::kCaller,
                     std::to_string(block.line) + ": " + problem);
    }
    return std::move(transcript_);
  }

 private:
  static std::vector<Block> SplitBlocks(std::string_view text) {
    std::vector<Block> blocks;
    const std::vector<std::string_view> lines = SplitLines(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool starts = !lines[i].empty() && kMarkers.find(lines[i][0]) != std::string_view::npos;
      if (starts || (blocks.empty() && !lines[i].empty())) blocks.push_back(Block{i + 1, {}});
      if (!blocks.empty()) blocks.back().lines.push_back(lines[i]);
    }
    for (Block& block : blocks) {
      while (block.lines.back().empty()) block.lines.pop_back();
    }
    return blocks;
  }

  // What is wrong with it, or nothing.
  std::string ParseBlock(const Block& block) {
    std::string_view head = block.lines[0];
    const char marker = head[0];
    head.remove_prefix(1);
    if (marker == '<') return ParseExpected(block);
    if (marker == '>') return ParseIn(block, head);
    if (marker == '@' && head.substr(0, 9) == " headers ") return ParseHeaderSet(block, head);
    if (block.lines.size() > 1) return "lines that belong to nothing follow";
    if (marker == '#') return {};
    if (head.substr(0, 1) != " ") return "there must be a space after the first character";
    head.remove_prefix(1);
    if (marker == '@') return ParseOption(head);
    if (marker == '~') return ParsePass(block, head);
    if (marker == '!') return ParseHappening(block, head);
    return "a line starts with one of " + std::string(kMarkers);
  }

  std::string ParseExpected(const Block& block) {
    if (transcript_.steps.empty()) return "nothing has happened yet";
    std::vector<std::string>& expected = transcript_.steps.back().expected;
    expected.insert(expected.end(), block.lines.begin(), block.lines.end());
    return {};
  }

  // --- what is set up ---

  std::string ParseOption(std::string_view rest) {
    const std::string_view name = TakeWord(&rest);
    if (name == "let") {
      const std::string_view variable = TakeWord(&rest);
      if (!IsName(variable)) return "let NAME TEXT";
      variables_[std::string(variable)] = rest;
      return {};
    }
    if (!transcript_.steps.empty()) return "options come before everything else";
    return SetOption(name, rest) ? std::string() : "no such option, or not with this value";
  }

  bool SetOption(std::string_view name, std::string_view value) {
    ServerOptions& options = transcript_.options;
    MemoryStoreOptions& store = transcript_.store;
    const std::optional<Millis> time = ReadTime(value);
    const std::size_t number = static_cast<std::size_t>(ReadNumber(value).value_or(0));
    const auto add_words = [&](std::vector<std::string>* words) {
      while (!value.empty()) words->emplace_back(TakeWord(&value));
      return true;
    };
    if (name == "idle-ttl") return (options.session_lifetime.idle_ttl = time).has_value();
    if (name == "max-life") return (options.session_lifetime.max_life = time).has_value();
    if (name == "max-message-bytes") return (options.limits.max_message_bytes = number) != 0;
    if (name == "max-records") return (store.max_records = number) != 0;
    if (name == "max-record-bytes") return (store.max_record_bytes = number) != 0;
    if (name == "hosts") return add_words(&options.hosts.hosts);
    if (name == "origins") return add_words(&options.hosts.origins);
    if (name == "streams") return (transcript_.keeps_streams = value == "kept");
    if (name == "title") return !(options.title = value).empty();
    if (name == "instructions") return !(options.instructions = value).empty();
    return false;
  }

  std::string ParseHeaderSet(const Block& block, std::string_view head) {
    head.remove_prefix(1);
    TakeWord(&head);
    if (!IsName(head) || head == "as") return "headers NAME";
    HeaderLines headers;
    const std::string problem = ParseHeaders(block, block.lines.size(), &headers);
    header_sets_[std::string(head)] = std::move(headers);
    return problem;
  }

  // --- what happens ---

  TranscriptStep& AddStep(const Block& block, TranscriptStep::Kind kind, std::string_view name) {
    TranscriptStep& step = transcript_.steps.emplace_back();
    step.kind = kind;
    step.line = block.line;
    step.end = block.line + block.lines.size();
    step.name = name;
    return step;
  }

  std::string ParseIn(const Block& block, std::string_view head) {
    const std::string_view name = TakeWord(&head);
    if (!IsName(name)) return "a name is a-z 0-9 - _";
    const bool channel = channels_.count(std::string(name)) != 0;
    if (channel && block.lines.size() > 1) return "a message is one line";
    if (!channel) return ParseHttp(block, name, head);
    return Expand(head, &AddStep(block, TranscriptStep::Kind::kMessage, name).text);
  }

  std::string ParseHttp(const Block& block, std::string_view name, std::string_view head) {
    TranscriptStep& step = AddStep(block, TranscriptStep::Kind::kHttp, name);
    step.method = TakeWord(&head);
    if (step.method.empty()) return "NAME METHOD [as PRINCIPAL] [SET...], or an open channel";
    step.principal = TakePrincipal(&head);
    while (!head.empty()) {
      const auto set = header_sets_.find(std::string(TakeWord(&head)));
      if (set == header_sets_.end()) return "no such headers";
      step.headers.insert(step.headers.end(), set->second.begin(), set->second.end());
    }
    std::size_t blank = 1;
    while (blank < block.lines.size() && !block.lines[blank].empty()) ++blank;
    std::string problem = ParseHeaders(block, blank, &step.headers);
    if (!problem.empty()) return problem;
    if (blank + 2 < block.lines.size()) return "a body is one line";
    if (blank + 1 < block.lines.size()) problem = Expand(block.lines[blank + 1], &step.text);
    return problem;
  }

  // "as NAME" at the front.
  static std::string TakePrincipal(std::string_view* text) {
    if (text->substr(0, 3) != "as ") return {};
    TakeWord(text);
    return std::string(TakeWord(text));
  }

  // The lines of a block from the second to before `end`.
  std::string ParseHeaders(const Block& block, std::size_t end, HeaderLines* headers) {
    for (std::size_t i = 1; i < end; ++i) {
      const std::size_t colon = block.lines[i].find(':');
      if (colon == std::string_view::npos) return "a header is NAME: VALUE";
      std::string_view value = block.lines[i].substr(colon + 1);
      if (value.substr(0, 1) == " ") value.remove_prefix(1);
      std::string text;
      const std::string problem = Expand(value, &text);
      if (!problem.empty()) return problem;
      headers->emplace_back(block.lines[i].substr(0, colon), std::move(text));
    }
    return {};
  }

  std::string ParsePass(const Block& block, std::string_view rest) {
    const std::optional<Millis> time = ReadTime(rest);
    if (!time) return "~ TIME, in ms, s, m or h";
    AddStep(block, TranscriptStep::Kind::kPass, {}).time = *time;
    return {};
  }

  std::string ParseHappening(const Block& block, std::string_view rest) {
    const std::string_view first = TakeWord(&rest);
    if (first == "gone" || first == "close") {
      if (!IsName(rest)) return "gone NAME, close NAME";
      const auto kind =
          first == "gone" ? TranscriptStep::Kind::kGone : TranscriptStep::Kind::kClose;
      if (first == "close" && channels_.erase(std::string(rest)) == 0) return "no such channel";
      AddStep(block, kind, rest);
      return {};
    }
    if (first == "open") {
      const std::string_view name = TakeWord(&rest);
      if (!IsName(name)) return "open NAME [as PRINCIPAL]";
      AddStep(block, TranscriptStep::Kind::kOpen, name).principal = TakePrincipal(&rest);
      channels_[std::string(name)] = true;
      return {};
    }
    if (!IsName(first)) return "gone, open, close, or the name of a waiting call";
    return Expand(rest, &AddStep(block, TranscriptStep::Kind::kTool, first).text);
  }

  // ${NAME} is what let gave it. %{FF 00} is bytes, %{3 * ab} is ababab.
  std::string Expand(std::string_view text, std::string* out) const {
    while (!text.empty()) {
      const std::size_t start = text.find('{');
      const char sign = start == 0 || start == std::string_view::npos ? '\0' : text[start - 1];
      if (sign != '$' && sign != '%') {
        const std::size_t plain = start == std::string_view::npos ? text.size() : start + 1;
        out->append(text.substr(0, plain));
        text.remove_prefix(plain);
        continue;
      }
      const std::size_t end = text.find('}', start);
      if (end == std::string_view::npos) return "a } is missing";
      out->append(text.substr(0, start - 1));
      const std::string_view inside = text.substr(start + 1, end - start - 1);
      if (!(sign == '$' ? ExpandVariable(inside, out) : ExpandBytes(inside, out))) {
        return "no such ${NAME}, or neither %{HEX HEX} nor %{NUMBER * TEXT}";
      }
      text.remove_prefix(end + 1);
    }
    return {};
  }

  bool ExpandVariable(std::string_view name, std::string* out) const {
    const auto found = variables_.find(std::string(name));
    if (found != variables_.end()) out->append(found->second);
    return found != variables_.end();
  }

  static bool ExpandBytes(std::string_view text, std::string* out) {
    const std::size_t times = text.find(" * ");
    if (times != std::string_view::npos) {
      const std::optional<std::int64_t> count = ReadNumber(text.substr(0, times));
      for (std::int64_t i = 0; i < count.value_or(0); ++i) out->append(text.substr(times + 3));
      return count.has_value();
    }
    while (!text.empty()) {
      const std::string_view digits = TakeWord(&text);
      unsigned byte = 0;
      const auto [rest, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (digits.size() != 2 || error != std::errc() || rest != digits.data() + 2) return false;
      *out += static_cast<char>(byte);
    }
    return true;
  }

  Transcript transcript_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, HeaderLines> header_sets_;
  std::map<std::string, bool> channels_;
};

}  // namespace

Result<Transcript> ParseTranscript(std::string_view text) { return Parser().Parse(text); }

std::string UpdateTranscript(std::string_view text, const Transcript& transcript,
                             const std::vector<std::vector<std::string>>& actual) {
  const std::vector<std::string_view> lines = SplitLines(text);
  const std::vector<TranscriptStep>& steps = transcript.steps;
  std::string updated;
  const auto copy = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      updated += lines[i];
      updated += '\n';
    }
  };
  copy(0, steps.empty() ? lines.size() : steps[0].line - 1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    copy(steps[i].line - 1, steps[i].end - 1);
    if (!actual[i].empty()) updated += '\n';
    for (const std::string& line : actual[i]) updated += line + '\n';
    // Comments after what was expected introduce the next step.
    std::size_t rest = steps[i].end - 1;
    const std::size_t next = i + 1 < steps.size() ? steps[i + 1].line - 1 : lines.size();
    for (std::size_t at = rest; at < next; ++at) {
      if (!lines[at].empty() && lines[at][0] == '<') rest = at + 1;
    }
    while (rest < next &&
           (lines[rest].empty() || (lines[rest][0] != '#' && lines[rest][0] != '@'))) {
      ++rest;
    }
    if (i + 1 < steps.size()) updated += '\n';
    copy(rest, next);
  }
  return updated;
}

}  // namespace mcp_session
