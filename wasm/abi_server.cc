// A server behind the ABI: an McpServer on a PageStore, whose tools are
// handlers of the host. A call of one goes out as MCPS_TOOL_CALLED and is kept here, as a run,
// until the host replies or its client gives up. The handler of one call may run more than once
// (StateUse), so a run has a number of its own.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/server/mcp_server.h"
#include "wasm/abi.h"
#include "wasm/abi_frame.h"
#include "wasm/abi_options.h"
#include "wasm/abi_store.h"

namespace mcp_session::abi {
namespace {

constexpr FrameRule kInput[] = {
    {MCPS_WOKEN, 0, 0},           {MCPS_MESSAGE_ARRIVED, 1, 1},
    {MCPS_CHANNEL_CLOSED, 0, 0},  {MCPS_HTTP_REQUESTED, 3, kAnyNumber},
    {MCPS_EXCHANGE_CLOSED, 0, 0}, {MCPS_CHANNEL_OPENED, 1, 1},
    {MCPS_TOOL_REPLIED, 0, 2},    {MCPS_TOOL_FAILED, 1, 1},
    {MCPS_TOOL_PROGRESS, 1, 3},
};

bool HasState(StateUse::Kind kind) {
  return kind == StateUse::Kind::kSession || kind == StateUse::Kind::kNewHandle ||
         kind == StateUse::Kind::kHandle;
}

bool HasHandle(StateUse::Kind kind) {
  return kind == StateUse::Kind::kNewHandle || kind == StateUse::Kind::kHandle;
}

Json HandlesJson(const std::vector<HandleInfo>& handles) {
  Json list = EmptyArray();
  for (const HandleInfo& handle : handles) {
    Json item = EmptyObject();
    item["handle"] = handle.handle;
    item["expiresIn"] = handle.expires_in.count;
    list.push_back(std::move(item));
  }
  return list;
}

// nullopt: it looks like a result and is none.
std::optional<ToolResult> ReadResult(Json value) {
  if (const std::string* text = AsString(value)) return ToolResult::Text(*text);
  const Json* content = Find(value, "content");
  const Json* structured = Find(value, "structuredContent");
  if (content == nullptr && structured == nullptr) {
    return ToolResult::Structured(std::move(value));
  }
  if (content != nullptr && !content->is_array()) return std::nullopt;
  ToolResult result;
  if (content != nullptr) {
    if (structured != nullptr) result.structured = *structured;
    result.content = *content;
  } else {
    result = ToolResult::Structured(*structured);
  }
  result.is_error = FindBool(value, "isError").value_or(false);
  return result;
}

struct WriteEffect {
  void operator()(const effect::HttpRespond& respond) const {
    FrameWriter(MCPS_HTTP_RESPOND, respond.exchange.number, respond.status)
        .Add(respond.body)
        .AddHeaders(respond.headers);
  }
  void operator()(const effect::HttpStream& stream) const {
    FrameWriter(MCPS_HTTP_STREAM, stream.exchange.number, stream.status).AddHeaders(stream.headers);
  }
  void operator()(const effect::HttpChunk& chunk) const {
    FrameWriter(MCPS_HTTP_CHUNK, chunk.exchange.number).Add(chunk.bytes);
  }
  void operator()(const effect::HttpEnd& end) const {
    FrameWriter(MCPS_HTTP_END, end.exchange.number);
  }
  void operator()(const effect::Send& send) const {
    FrameWriter(MCPS_SEND, send.channel.number).Add(send.text);
  }
};

}  // namespace
}  // namespace mcp_session::abi

using namespace mcp_session;       // NOLINT: the C names are global
using namespace mcp_session::abi;  // NOLINT

struct mcps_server {
 public:
  mcps_server(ServerOptions options, std::shared_ptr<PageStore> store)
      : limits_(options.limits),
        store_(std::move(store)),
        server_(std::move(options), *store_, HostEntropy()) {
    server_.OnWake([this] { woken_ = true; });
  }
  mcps_server(const mcps_server&) = delete;
  mcps_server& operator=(const mcps_server&) = delete;

  Result<void> AddTool(Tool tool) {
    const std::string name = tool.name;
    const StateUse::Kind kind = tool.state.kind;
    return server_.AddPlainTool(std::move(tool),
                                [this, name, kind](ToolCall call) { StartRun(name, kind, call); });
  }

  Result<void> Handle(std::string_view bytes, double now) {
    MCPS_TRY(const Frame frame, ReadFrame(bytes, kInput));
    now_ = clock_.At(now);
    Apply(frame);
    if (woken_) Tell(event::Woken{});
    CancelRuns();
    for (const Effect& effect : effects_) std::visit(WriteEffect{}, effect);
    effects_.clear();
    return {};
  }

  Instant deadline() const { return server_.NextDeadline(); }

 private:
  void Tell(const Event& event) {
    woken_ = false;
    server_.Handle(event, now_, &effects_);
  }

  void Apply(const Frame& frame) {
    switch (frame.kind) {
      case MCPS_WOKEN:
        return Tell(event::Woken{});
      case MCPS_MESSAGE_ARRIVED:
        return Tell(event::MessageArrived{ChannelId{frame.id}, frame.Text(0)});
      case MCPS_CHANNEL_CLOSED:
        return Tell(event::ChannelClosed{ChannelId{frame.id}});
      case MCPS_HTTP_REQUESTED:
        return ApplyRequest(frame);
      case MCPS_EXCHANGE_CLOSED:
        return Tell(event::ExchangeClosed{ExchangeId{frame.id}});
      case MCPS_CHANNEL_OPENED:
        return Tell(event::ChannelOpened{ChannelId{frame.id}, frame.Text(0)});
      default:
        return ApplyToTool(frame);
    }
  }

  void ApplyRequest(const Frame& frame) {
    HttpRequest request(frame.Text(0), frame.Text(2));
    for (std::size_t i = 3; i + 1 < frame.fields.size(); i += 2) {
      request.AddHeader(frame.Text(i), frame.Text(i + 1));
    }
    Tell(event::HttpRequested{ExchangeId{frame.id}, request, frame.Text(1)});
  }

  struct Run {
    std::uint64_t id;
    ToolCall call;
    StateUse::Kind kind;
  };

  // What the host says of a run that is over already is late, not wrong.
  void ApplyToTool(const Frame& frame) {
    const auto run = std::find_if(runs_.begin(), runs_.end(),
                                  [&](const Run& each) { return each.id == frame.id; });
    if (run == runs_.end()) return;
    if (frame.kind == MCPS_TOOL_PROGRESS) {
      const std::optional<double> progress = frame.Number(0);
      if (progress) run->call.Progress(*progress, frame.Number(1), frame.Text(2));
      return;
    }
    Run ended = std::move(*run);
    runs_.erase(run);
    ended.call.Reply(frame.kind == MCPS_TOOL_FAILED ? ToolResult::Error(std::string(frame.Text(0)))
                                                    : Finish(ended, frame));
  }

  ToolResult Finish(Run& run, const Frame& frame) {
    if (frame.Has(1) && HasState(run.kind)) {
      Result<Json> state = ParseJson(frame.Text(1), limits_);
      if (!state || !state->is_object()) return Invalid("a tool's state is no JSON object");
      run.call.state() = *std::move(state);
    }
    if (frame.number == 1 && run.kind == StateUse::Kind::kHandle) run.call.EndHandle();
    if (!frame.Has(0)) return ToolResult{};
    Result<Json> value = ParseJson(frame.Text(0), limits_);
    if (!value) return Invalid("a tool's result is no JSON: " + value.error().message);
    std::optional<ToolResult> result = ReadResult(*std::move(value));
    return result ? *std::move(result) : Invalid("a tool's content is no list");
  }

  ToolResult Invalid(std::string why) {
    WriteError(Error{ErrorCode::kInvalidArgument, Blame::kCaller, std::move(why)});
    return ToolResult::Error("the tool failed");
  }

  void StartRun(const std::string& name, StateUse::Kind kind, ToolCall& call) {
    const std::uint64_t id = ++last_run_;
    FrameWriter frame(MCPS_TOOL_CALLED, id, call.era() == Era::kStateless ? 1 : 0);
    frame.Add(name).AddJson(call.arguments());
    if (HasState(kind)) {
      frame.AddJson(call.state());
    } else {
      frame.AddAbsent();
    }
    frame.Add(HasHandle(kind) ? call.handle() : std::string());
    frame.AddJson(kind == StateUse::Kind::kList ? HandlesJson(call.handles()) : EmptyArray());
    frame.Add(call.principal());
    runs_.push_back(Run{id, call, kind});
  }

  void CancelRuns() {
    std::erase_if(runs_, [](const Run& run) {
      if (!run.call.cancelled()) return false;
      FrameWriter(MCPS_TOOL_CANCELLED, run.id);
      return true;
    });
  }

  const Limits limits_;
  const std::shared_ptr<PageStore> store_;
  bool woken_ = false;
  McpServer server_;
  Clock clock_;
  Instant now_;
  Effects effects_;
  std::uint64_t last_run_ = 0;
  std::vector<Run> runs_;
};

extern "C" {

mcps_server* mcps_server_new(const char* options, std::size_t size, const mcps_store* store) {
  ClearOutput();
  ServerSetup setup;
  const Result<void> read = ReadServerOptions({options, size}, &setup);
  if (read) {
    return new mcps_server(
        std::move(setup.options),
        store ? store->store : std::make_shared<PageStore>(setup.store, HostEntropy()));
  }
  WriteError(read.error());
  return nullptr;
}

int mcps_server_tool(mcps_server* server, const char* tool, std::size_t size) {
  ClearOutput();
  Tool read;
  Result<void> done = ReadTool({tool, size}, &read);
  if (done) done = server->AddTool(std::move(read));
  return done ? 0 : WriteError(done.error());
}

int mcps_server_handle(mcps_server* server, const void* frame, std::size_t size, double now) {
  ClearOutput();
  const Result<void> done = server->Handle({static_cast<const char*>(frame), size}, now);
  return done ? 0 : WriteError(done.error());
}

double mcps_server_deadline(const mcps_server* server) { return DeadlineOf(server->deadline()); }

void mcps_server_delete(mcps_server* server) { delete server; }

}  // extern "C"
