#include "mcp_session/client_host/blocking_client.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>
#include <utility>

namespace mcp_session {

namespace asio = boost::asio;

class BlockingClient::State {
 public:
  explicit State(std::unique_ptr<asio::io_context> loop)
      : loop_(std::move(loop)), work_(asio::make_work_guard(*loop_)) {}

  ~State() {
    if (!thread_.joinable()) return;
    if (channel_) {
      Wait<bool>([this](auto done) { host_->Close([done] { done(true); }); });
    }
    Wait<bool>([this](auto done) {
      host_.reset();
      done(true);
    });
    work_.reset();
    loop_->stop();
    thread_.join();
  }

  void Begin(std::unique_ptr<ClientLink> link, ClientOptions options, ClientHandlers handlers) {
    channel_ = link->transport() == ClientTransport::kChannel;
    host_ = std::make_unique<ClientHost>(*loop_, std::move(link), std::move(options),
                                         std::move(handlers));
    thread_ = std::thread([this] { loop_->run(); });
  }

  // Does `begin` on the loop, and waits for what it gives to its `done`.
  template <typename T, typename BeginFunction>
  T Wait(BeginFunction begin) {
    auto promise = std::make_shared<std::promise<T>>();
    std::future<T> answer = promise->get_future();
    asio::post(*loop_, [begin = std::move(begin), promise]() mutable {
      begin([promise](T value) { promise->set_value(std::move(value)); });
    });
    return answer.get();
  }

  ClientHost& host() { return *host_; }

 private:
  std::unique_ptr<asio::io_context> loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<ClientHost> host_;  // the loop's
  bool channel_ = false;
  std::thread thread_;
};

BlockingClient::BlockingClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockingClient::~BlockingClient() = default;

Result<std::unique_ptr<BlockingClient>> BlockingClient::Make(const MakeLink& make,
                                                             ClientOptions options,
                                                             ClientHandlers handlers) {
  auto loop = std::make_unique<asio::io_context>(1);
  MCPS_TRY(std::unique_ptr<ClientLink> link, make(*loop));
  auto state = std::make_unique<State>(std::move(loop));
  state->Begin(std::move(link), std::move(options), std::move(handlers));
  return std::unique_ptr<BlockingClient>(new BlockingClient(std::move(state)));
}

ClientResult<client_effect::Opened> BlockingClient::Open() {
  return state_->Wait<ClientResult<client_effect::Opened>>(
      [this](auto done) { state_->host().Open(done); });
}

ClientResult<Json> BlockingClient::Run(ClientOperation operation, const CallSettings& settings) {
  return state_->Wait<ClientResult<Json>>(
      [this, operation = std::move(operation), settings](auto done) {
        state_->host().Run(operation, settings, done);
      });
}

ClientResult<Json> BlockingClient::ListTools(const CallSettings& settings) {
  return Run(client_operation::ListTools(), settings);
}

ClientResult<Json> BlockingClient::ListResources(const CallSettings& settings) {
  return Run(client_operation::ListResources(), settings);
}

ClientResult<Json> BlockingClient::ListResourceTemplates(const CallSettings& settings) {
  return Run(client_operation::ListResourceTemplates(), settings);
}

ClientResult<Json> BlockingClient::ListPrompts(const CallSettings& settings) {
  return Run(client_operation::ListPrompts(), settings);
}

ClientResult<Json> BlockingClient::CallTool(std::string name, Json arguments,
                                            const CallSettings& settings) {
  return Run(client_operation::CallTool(std::move(name), std::move(arguments)), settings);
}

ClientResult<Json> BlockingClient::ReadResource(std::string uri, const CallSettings& settings) {
  return Run(client_operation::ReadResource(std::move(uri)), settings);
}

ClientResult<Json> BlockingClient::GetPrompt(std::string name, Json arguments,
                                             const CallSettings& settings) {
  return Run(client_operation::GetPrompt(std::move(name), std::move(arguments)), settings);
}

ClientResult<Json> BlockingClient::Complete(Json ref, std::string argument, std::string typed,
                                            Json chosen, const CallSettings& settings) {
  return Run(client_operation::Complete(std::move(ref), std::move(argument), std::move(typed),
                                        std::move(chosen)),
             settings);
}

ClientResult<Json> BlockingClient::Subscribe(Subscription wanted, const CallSettings& settings) {
  return Run(client_operation::Subscribe(std::move(wanted)), settings);
}

ClientResult<Json> BlockingClient::Call(std::string method, Json params,
                                        const CallSettings& settings) {
  return Run(client_operation::Call(std::move(method), std::move(params)), settings);
}

ClientResult<Json> BlockingClient::Ping() { return Run(client_operation::Ping(), {}); }

void BlockingClient::Close() {
  state_->Wait<bool>([this](auto done) { state_->host().Close([done] { done(true); }); });
}

std::optional<client_effect::Opened> BlockingClient::session() {
  return state_->Wait<std::optional<client_effect::Opened>>(
      [this](auto done) { done(state_->host().session()); });
}

}  // namespace mcp_session
