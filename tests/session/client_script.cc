#include "tests/session/client_script.h"

#include <gtest/gtest.h>

#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

std::string Numbered(ExchangeId id) { return "#" + std::to_string(id.number); }

std::string EraName(Era era) { return era == Era::kStateless ? "stateless" : "handshake"; }

struct Writer {
  std::string operator()(const client_effect::HttpSend& send) const {
    std::string line = Numbered(send.exchange) + " " + std::string(send.method);
    return send.body.empty() ? line : line + " " + send.body;
  }
  std::string operator()(const client_effect::HttpAbort& abort) const {
    return Numbered(abort.exchange) + " abort";
  }
  std::string operator()(const client_effect::Send& send) const { return "send " + send.text; }
  std::string operator()(const client_effect::Opened& opened) const {
    return "opened " + EraName(opened.era) + " " + std::string(RevisionName(opened.revision)) +
           " \"" + opened.session_id + "\" " + ToText(opened.server);
  }
  std::string operator()(const client_effect::OpenFailed& failed) const {
    return "open failed " + std::string(CodeName(failed.error.code));
  }
  std::string operator()(const client_effect::Answered& answered) const {
    return "answered " + std::to_string(answered.call.number) + " " + ToText(answered.result);
  }
  std::string operator()(const client_effect::Failed& failed) const {
    std::string line = "failed " + std::to_string(failed.call.number) + " " +
                       std::string(CodeName(failed.error.code));
    if (failed.rpc) {
      line += " rpc " + std::to_string(failed.rpc->code) + " \"" + failed.rpc->message + "\"";
      if (failed.rpc->data) line += " " + ToText(*failed.rpc->data);
    }
    return line;
  }
  std::string operator()(const client_effect::Progressed& progressed) const {
    return "progressed " + std::to_string(progressed.call.number) + " " + ToText(progressed.params);
  }
  std::string operator()(const client_effect::Notified& notified) const {
    return "notified " + notified.method + " " + ToText(notified.params);
  }
  std::string operator()(const client_effect::Asked& asked) const {
    return "asked " + std::to_string(asked.question.number) + " for " +
           std::to_string(asked.call.number) + " " + asked.method + " " + ToText(asked.params);
  }
  std::string operator()(const client_effect::Withdrawn& withdrawn) const {
    return "withdrawn " + std::to_string(withdrawn.question.number);
  }
  std::string operator()(const client_effect::SessionLost&) const { return "session lost"; }
  std::string operator()(const client_effect::Closed&) const { return "closed"; }
};

}  // namespace

std::string ToLine(const ClientEffect& effect) { return std::visit(Writer{}, effect); }

Lines ToLines(const ClientEffects& effects) {
  Lines lines;
  for (const ClientEffect& effect : effects) lines.push_back(ToLine(effect));
  return lines;
}

Json FromText(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value) << text;
  return value ? std::move(*value) : Json();
}

std::string ToText(const Json& value) {
  std::string text;
  EXPECT_TRUE(AppendJson(value, &text));
  return text;
}

Lines HeadersOf(const ClientEffects& effects) {
  Lines lines;
  for (const ClientEffect& effect : effects) {
    const auto* send = std::get_if<client_effect::HttpSend>(&effect);
    if (send == nullptr) continue;
    for (const auto& [name, value] : send->headers) {
      lines.push_back(std::string(name) + ": " + value);
    }
    break;
  }
  return lines;
}

std::string ResultText(std::string_view id, std::string_view members) {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"result":{)" + std::string(members) +
         "}}";
}

std::string ResultText(int id, std::string_view members) {
  return ResultText(std::to_string(id), members);
}

std::string RpcErrorText(std::string_view id_member, int code, std::string_view data) {
  std::string text = R"({"jsonrpc":"2.0",)" + std::string(id_member) + R"("error":{"code":)" +
                     std::to_string(code) + R"(,"message":"no")";
  if (!data.empty()) text += R"(,"data":)" + std::string(data);
  return text + "}}";
}

std::string RequestText(int id, std::string_view method, std::string_view params) {
  std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" +
                     std::string(method) + '"';
  if (!params.empty()) text += R"(,"params":)" + std::string(params);
  return text + "}";
}

std::string CancelText(int id) {
  return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
         std::to_string(id) + "}}";
}

std::string ProgressText(std::string_view token, std::string_view rest) {
  return R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" +
         std::string(token) + "," + std::string(rest) + "}}";
}

std::string DiscoverText(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"server/discover","params":{"_meta":{)"
         R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
         R"("io.modelcontextprotocol/clientCapabilities":{},)"
         R"("io.modelcontextprotocol/clientInfo":{"name":"probe","version":"0.1"}}}})";
}

std::string InitializeText(int id, std::string_view version) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
         R"(,"method":"initialize","params":{"protocolVersion":")" + std::string(version) +
         R"(","capabilities":{},"clientInfo":{"name":"probe","version":"0.1"}}})";
}

std::string RefusedText(int id, std::string_view supported) {
  return RpcErrorText(
      "\"id\":" + std::to_string(id) + ",", -32022,
      R"({"supported":)" + std::string(supported) + R"(,"requested":"2026-07-28"})");
}

std::string Posted(int exchange, std::string_view text) {
  return "#" + std::to_string(exchange) + " POST " + std::string(text);
}

std::string HandshakeMembers(std::string_view version) {
  return R"("protocolVersion":")" + std::string(version) +
         R"(","capabilities":{"tools":{}},"serverInfo":{"name":"ledger","version":"1.2"})";
}

ClientOptions ProbeOptions(ClientTransport transport, std::optional<Era> era) {
  ClientOptions options;
  options.name = "probe";
  options.version = "0.1";
  options.transport = transport;
  options.era = era;
  return options;
}

namespace {

constexpr std::string_view kSpare = R"("supportedVersions":["2026-07-28"],"capabilities":{})";

std::string Agreed(std::string_view version) {
  return ResultText(1, R"("protocolVersion":")" + std::string(version) + '"');
}

ClientOptions InHandshakeEra(ClientOptions options) {
  options.era = Era::kHandshake;
  return options;
}

}  // namespace

StatelessHttp::StatelessHttp(ClientOptions options) : EngineScript(std::move(options)) {
  Open();
  Respond(1, 200, ResultText(1, kSpare));
}

SessionHttp::SessionHttp(std::string_view version, std::string_view session, ClientOptions options)
    : EngineScript(InHandshakeEra(std::move(options))) {
  Open();
  Respond(1, 200, Agreed(version), "application/json", session);
  Respond(2, 202, "");
}

StatelessChannel::StatelessChannel() : EngineScript(ProbeOptions(ClientTransport::kChannel)) {
  Open();
  Arrive(ResultText(1, kSpare));
}

SessionChannel::SessionChannel()
    : EngineScript(ProbeOptions(ClientTransport::kChannel, Era::kHandshake)) {
  Open();
  Arrive(Agreed("2025-11-25"));
}

}  // namespace mcp_session
