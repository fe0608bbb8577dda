#include "tests/transcripts/stage.h"

#include <string_view>
#include <utility>
#include <variant>

namespace mcp_session {
namespace {

ServerOptions Named(ServerOptions options) {
  options.name = "transcript";
  options.version = "1";
  return options;
}

void WriteHeaders(const ResponseHeaders& headers, std::vector<std::string>* lines) {
  for (const auto& [name, value] : headers) lines->push_back(std::string(name) + ": " + value);
}

// Each line of it behind a bar; one that does not end behind a bar and a minus.
void WriteChunk(std::string_view bytes, std::vector<std::string>* lines) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      lines->push_back("|-" + std::string(bytes));
      return;
    }
    lines->push_back(end == 0 ? "|" : "| " + std::string(bytes.substr(0, end)));
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace

Stage::Stage(const Transcript& transcript)
    : store_(transcript.store, entropy_), server_(Named(transcript.options), store_, entropy_) {
  if (transcript.keeps_streams) server_.KeepStreams();
  server_.OnWake([this] { woken_ = true; });
  tools_.AddTo(server_);
}

std::vector<std::string> Stage::Play(const TranscriptStep& step) {
  Lines lines;
  Happen(step, &lines);
  if (woken_) Tell(event::Woken{});
  for (const Effect& effect : effects_) Write(effect, &lines);
  effects_.clear();
  for (const std::string& name : tools_.TakeCancelled()) lines.push_back("<! cancelled " + name);
  return lines;
}

void Stage::Happen(const TranscriptStep& step, Lines* lines) {
  using Kind = TranscriptStep::Kind;
  const auto open = numbers_.find(step.name);
  const std::uint64_t number = open == numbers_.end() ? 0 : open->second;
  switch (step.kind) {
    case Kind::kHttp:
      return Request(step, lines);
    case Kind::kMessage:
      return Tell(event::MessageArrived{ChannelId{number}, step.text});
    case Kind::kPass:
      clock_.Advance(step.time);
      return Tell(event::Woken{});
    case Kind::kOpen:
      numbers_[step.name] = ++last_id_;
      names_[last_id_] = step.name;
      return Tell(event::ChannelOpened{ChannelId{last_id_}, step.principal});
    case Kind::kGone:
    case Kind::kClose:
      names_.erase(number);
      if (open == numbers_.end()) return lines->push_back("<! not open");
      numbers_.erase(open);
      if (step.kind == Kind::kGone) return Tell(event::ExchangeClosed{ExchangeId{number}});
      return Tell(event::ChannelClosed{ChannelId{number}});
    case Kind::kTool:
      if (!tools_.Drive(step.name, step.text)) lines->push_back("<! no such call");
      return;
  }
}

void Stage::Request(const TranscriptStep& step, Lines* lines) {
  if (numbers_.count(step.name) != 0) return lines->push_back("<! still open");
  numbers_[step.name] = ++last_id_;
  names_[last_id_] = step.name;
  HttpRequest request(step.method, step.text);
  for (const auto& [name, value] : step.headers) request.AddHeader(name, value);
  Tell(event::HttpRequested{ExchangeId{last_id_}, request, step.principal});
}

void Stage::Tell(const Event& event) {
  woken_ = false;
  server_.Handle(event, clock_.Now(), &effects_);
}

// "<NAME ", or nothing if the client is gone. `last`: the exchange is over with it.
std::string Stage::HeadOf(ExchangeId exchange, bool last) {
  const auto found = names_.find(exchange.number);
  if (found == names_.end()) return {};
  std::string head = "<" + found->second + " ";
  if (last) {
    numbers_.erase(found->second);
    names_.erase(found);
  }
  return head;
}

void Stage::Write(const Effect& effect, Lines* lines) {
  if (const auto* send = std::get_if<effect::Send>(&effect)) {
    const auto channel = names_.find(send->channel.number);
    if (channel != names_.end()) lines->push_back("<" + channel->second + " " + send->text);
  } else if (const auto* respond = std::get_if<effect::HttpRespond>(&effect)) {
    const std::string head = HeadOf(respond->exchange, true);
    if (head.empty()) return;
    lines->push_back(head + std::to_string(respond->status));
    WriteHeaders(respond->headers, lines);
    if (respond->body.empty()) return;
    lines->emplace_back();
    lines->push_back(respond->body);
  } else if (const auto* stream = std::get_if<effect::HttpStream>(&effect)) {
    const std::string head = HeadOf(stream->exchange, false);
    if (head.empty()) return;
    lines->push_back(head + std::to_string(stream->status) + " stream");
    WriteHeaders(stream->headers, lines);
  } else if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) {
    const std::string head = HeadOf(chunk->exchange, false);
    if (head.empty()) return;
    lines->push_back(head + "chunk");
    WriteChunk(chunk->bytes, lines);
  } else if (const auto* end = std::get_if<effect::HttpEnd>(&effect)) {
    const std::string head = HeadOf(end->exchange, true);
    if (!head.empty()) lines->push_back(head + "end");
  }
}

}  // namespace mcp_session
