#include "mcp_session/client_host/awaitable_client.h"

#include <functional>
#include <utility>

#include "mcp_session/face/await.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

template <typename T>
using Begin = BeginOn<ClientHost, T>;

ClientError Gone() { return {{ErrorCode::kCancelled, Blame::kCaller, "the client is gone"}, {}}; }

asio::awaitable<ClientResult<Json>> RunOperation(std::weak_ptr<ClientHost> host,
                                                 ClientOperation operation, CallSettings settings) {
  Begin<ClientResult<Json>> begin = [operation, settings](ClientHost& open,
                                                          ClientHost::Answer done) {
    return open.Run(operation, settings, std::move(done));
  };
  ClientResult<Json> gone = tl::unexpected<ClientError>(Gone());
  ClientResult<Json> result = co_await Await(host, begin, gone);
  co_return result;
}

asio::awaitable<ClientResult<client_effect::Opened>> RunOpening(std::weak_ptr<ClientHost> host) {
  using Opened = ClientResult<client_effect::Opened>;
  Begin<Opened> begin = [](ClientHost& closed, ClientHost::Opened done) {
    closed.Open(std::move(done));
    return std::uint64_t{0};
  };
  Opened gone = tl::unexpected<ClientError>(Gone());
  Opened opened = co_await Await(host, begin, gone);
  co_return opened;
}

asio::awaitable<void> RunClosing(std::weak_ptr<ClientHost> host) {
  Begin<bool> begin = [](ClientHost& open, std::function<void(bool)> done) {
    open.Close([done = std::move(done)] { done(true); });
    return std::uint64_t{0};
  };
  co_await Await(host, begin, true);
}

}  // namespace

AwaitableClient::AwaitableClient(asio::io_context& loop, std::unique_ptr<ClientLink> link,
                                 ClientOptions options, ClientHandlers handlers)
    : host_(std::make_shared<ClientHost>(loop, std::move(link), std::move(options),
                                         std::move(handlers))) {}

asio::awaitable<ClientResult<client_effect::Opened>> AwaitableClient::Open() {
  return RunOpening(host_);
}

asio::awaitable<ClientResult<Json>> AwaitableClient::ListTools(CallSettings settings) {
  return RunOperation(host_, client_operation::ListTools(), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::ListResources(CallSettings settings) {
  return RunOperation(host_, client_operation::ListResources(), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::ListResourceTemplates(CallSettings settings) {
  return RunOperation(host_, client_operation::ListResourceTemplates(), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::ListPrompts(CallSettings settings) {
  return RunOperation(host_, client_operation::ListPrompts(), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::CallTool(std::string name, Json arguments,
                                                              CallSettings settings) {
  return RunOperation(host_, client_operation::CallTool(std::move(name), std::move(arguments)),
                      std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::ReadResource(std::string uri,
                                                                  CallSettings settings) {
  return RunOperation(host_, client_operation::ReadResource(std::move(uri)), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::GetPrompt(std::string name, Json arguments,
                                                               CallSettings settings) {
  return RunOperation(host_, client_operation::GetPrompt(std::move(name), std::move(arguments)),
                      std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::Complete(Json ref, std::string argument,
                                                              std::string typed, Json chosen,
                                                              CallSettings settings) {
  return RunOperation(host_,
                      client_operation::Complete(std::move(ref), std::move(argument),
                                                 std::move(typed), std::move(chosen)),
                      std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::Subscribe(Subscription wanted,
                                                               CallSettings settings) {
  return RunOperation(host_, client_operation::Subscribe(std::move(wanted)), std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::Call(std::string method, Json params,
                                                          CallSettings settings) {
  return RunOperation(host_, client_operation::Call(std::move(method), std::move(params)),
                      std::move(settings));
}

asio::awaitable<ClientResult<Json>> AwaitableClient::Ping() {
  return RunOperation(host_, client_operation::Ping(), {});
}

asio::awaitable<void> AwaitableClient::Close() { return RunClosing(host_); }

}  // namespace mcp_session
