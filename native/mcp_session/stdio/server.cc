#include "mcp_session/stdio/server.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/host/handler_guard.h"
#include "mcp_session/protocol/message.h"
#include "mcp_session/session/event.h"
#include "mcp_session/stdio/line_reader.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

constexpr ChannelId kChannel{1};
constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kHopeless = 16;  // times max_queued_bytes: nobody will ever read this
constexpr Millis kShortestWait{1};

}  // namespace

// Theory of operation. As in http/server_state.h, a turn is what the loop calls us for; it ends
// with Settle, which writes, reads on and sets the timer.
//
//   kServing   lines are read and handled
//   kDraining  there is no more input; calls may still finish, until the grace period ends
//   kDone      McpServer knows that the channel is closed; operations are coming back
class StdioServer::State {
 public:
  State(asio::io_context& loop, McpServer& server, StdioServerOptions options);
  ~State();
  Result<void> Run();
  void Stop();
  void Wake();

 private:
  enum class Step : std::uint8_t { kServing, kDraining, kDone };

  void OnRead(const error_code& error, std::size_t bytes);
  void HandleLines();
  void HandleLine(const LineReader::Line& line);
  void Handle(const Event& event);
  void OnTimer();
  void OnStop();
  void Drain();
  void Settle();
  void Write();
  void StartReading();
  void SetTimer();
  void Finish();
  bool Finished() const;
  std::size_t unsent() const { return out_.size() - sent_; }

  asio::io_context& loop_;
  McpServer& server_;
  const StdioServerOptions options_;
  Descriptor input_;
  Descriptor output_;
  Timer timer_;
  LineReader lines_;
  std::array<char, kReadBytes> buffer_;
  std::string_view unhandled_;  // of buffer_
  std::string out_;
  std::size_t sent_ = 0;
  Effects effects_;

  Step step_ = Step::kServing;
  Instant now_;
  Instant timer_at_ = kNever;
  Instant grace_ends_ = kNever;
  // Operations of the loop that refer to this.
  bool reading_ = false;
  bool hopeless_ = false;  // far too much is waiting to be written
  bool awaiting_write_ = false;
  bool waking_ = false;
  int waits_ = 0;
  std::atomic<int> stops_ = 0;
};

StdioServer::State::State(asio::io_context& loop, McpServer& server, StdioServerOptions options)
    : loop_(loop),
      server_(server),
      options_(options),
      input_(loop),
      output_(loop),
      timer_(loop),
      lines_(options.max_message_bytes),
      now_(MonotonicNow()) {
  server_.OnWake([this] { Wake(); });
  server_.GuardHandlers(RunGuarded);
}

StdioServer::State::~State() { server_.OnWake(nullptr); }

Result<void> StdioServer::State::Run() {
  const int input_flags = fcntl(options_.input, F_GETFL);
  const int output_flags = fcntl(options_.output, F_GETFL);
  error_code error;
  input_.assign(options_.input, error);
  if (!error) output_.assign(options_.output, error);
  if (!error) output_.non_blocking(true, error);
  if (!error) {
    now_ = MonotonicNow();
    Handle(event::ChannelOpened{kChannel, {}});
    Settle();
    while (!Finished() && loop_.run_one() > 0) {
    }
  }
  // They are others' too: whoever started us reads on from the same terminal.
  if (input_.is_open()) input_.release();
  if (output_.is_open()) output_.release();
  if (input_flags != -1) fcntl(options_.input, F_SETFL, input_flags);
  if (output_flags != -1) fcntl(options_.output, F_SETFL, output_flags);
  if (!error) return {};
  return Failure(ErrorCode::kTransport, Blame::kEnvironment,
                 "cannot use stdin and stdout: " + error.message());
}

bool StdioServer::State::Finished() const {
  return step_ == Step::kDone && !reading_ && !awaiting_write_ && !waking_ && waits_ == 0 &&
         stops_ == 0;
}

void StdioServer::State::Stop() {
  ++stops_;
  asio::post(loop_, [this] {
    now_ = MonotonicNow();
    --stops_;
    OnStop();
    Settle();
  });
}

void StdioServer::State::OnStop() {
  if (step_ == Step::kDraining) grace_ends_ = now_;
  Drain();
}

void StdioServer::State::Wake() {
  if (std::exchange(waking_, true)) return;
  asio::post(loop_, [this] {
    now_ = MonotonicNow();
    waking_ = false;
    Handle(event::Woken{});
    Settle();
  });
}

void StdioServer::State::OnRead(const error_code& error, std::size_t bytes) {
  now_ = MonotonicNow();
  reading_ = false;
  if (step_ == Step::kServing) {
    if (error) {
      if (const auto line = lines_.Last()) HandleLine(*line);
      Drain();
    } else {
      unhandled_ = std::string_view(buffer_.data(), bytes);
    }
  }
  Settle();
}

// As long as the answers are taken: one line may have a very long one.
void StdioServer::State::HandleLines() {
  while (step_ == Step::kServing && unsent() <= options_.max_queued_bytes) {
    const auto line = lines_.Next(&unhandled_);
    if (!line) return;
    HandleLine(*line);
    if (unsent() > options_.max_queued_bytes) Write();
  }
}

void StdioServer::State::HandleLine(const LineReader::Line& line) {
  if (line.too_long) {
    const Error error{ErrorCode::kTooLarge, Blame::kPeer, "the message is too large"};
    AppendError(std::nullopt, ToRpcError(error), &out_);
    out_ += '\n';
  } else if (!line.text.empty()) {
    Handle(event::MessageArrived{kChannel, line.text});
  }
}

void StdioServer::State::Handle(const Event& event) {
  server_.Handle(event, now_, &effects_);
  for (const Effect& effect : effects_) {
    const auto* send = std::get_if<effect::Send>(&effect);
    MCPS_CHECK(send != nullptr);  // there never was an exchange
    hopeless_ = hopeless_ || unsent() > kHopeless * options_.max_queued_bytes;
    if (hopeless_) break;
    out_ += send->text;
    out_ += '\n';
  }
  effects_.clear();
}

void StdioServer::State::Drain() {
  if (step_ != Step::kServing) return;
  step_ = Step::kDraining;
  grace_ends_ = now_ + options_.grace;
  error_code ignored;  // what cannot be cancelled comes back by itself
  input_.cancel(ignored);
  Handle(event::Stopping{});
}

void StdioServer::State::OnTimer() {
  now_ = MonotonicNow();
  timer_at_ = kNever;
  if (server_.NextDeadline() <= now_) Handle(event::Woken{});
  Settle();
}

void StdioServer::State::Settle() {
  do {
    HandleLines();
    Write();
  } while (step_ == Step::kServing && !unhandled_.empty() && unsent() <= options_.max_queued_bytes);
  if (step_ == Step::kDraining) {
    const bool all_said = server_.open_calls() == 0 && unsent() == 0;
    if (all_said || grace_ends_ <= now_) Finish();
  }
  if (step_ == Step::kServing) StartReading();
  SetTimer();
}

void StdioServer::State::Write() {
  if (step_ == Step::kDone) return;
  if (hopeless_) return Finish();
  if (awaiting_write_) return;
  error_code error;
  while (unsent() > 0) {
    sent_ += output_.write_some(asio::buffer(out_.data() + sent_, unsent()), error);
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) return Finish();
    awaiting_write_ = true;
    output_.async_wait(Descriptor::wait_write, [this](const error_code& failed) {
      now_ = MonotonicNow();
      awaiting_write_ = false;
      if (failed) Finish();
      Settle();
    });
    break;
  }
  if (unsent() == 0) {
    out_.clear();
    if (out_.capacity() > options_.max_queued_bytes) std::string().swap(out_);
    sent_ = 0;
  } else if (sent_ > kReadBytes && sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
}

void StdioServer::State::StartReading() {
  if (reading_ || !unhandled_.empty() || unsent() > options_.max_queued_bytes) return;
  reading_ = true;
  input_.async_read_some(asio::buffer(buffer_), [this](const error_code& error, std::size_t bytes) {
    OnRead(error, bytes);
  });
}

void StdioServer::State::SetTimer() {
  if (step_ == Step::kDone) {
    timer_.cancel();
    timer_at_ = kNever;
    return;
  }
  Instant due = std::min(server_.NextDeadline(), grace_ends_);
  due = std::max(due, now_ + kShortestWait);
  if (due >= timer_at_) return;
  timer_at_ = due;
  timer_.expires_at(ToSteadyTime(due));
  ++waits_;
  timer_.async_wait([this](const error_code& error) {
    --waits_;
    if (!error) OnTimer();
  });
}

void StdioServer::State::Finish() {
  if (step_ == Step::kDone) return;
  step_ = Step::kDone;
  error_code ignored;  // they are not used any more either way
  input_.cancel(ignored);
  output_.cancel(ignored);
  Handle(event::ChannelClosed{kChannel});
}

StdioServer::StdioServer(asio::io_context& loop, McpServer& server, StdioServerOptions options)
    : state_(std::make_unique<State>(loop, server, options)) {}
StdioServer::~StdioServer() = default;

Result<void> StdioServer::Run() { return state_->Run(); }
void StdioServer::Stop() { state_->Stop(); }
void StdioServer::Wake() { state_->Wake(); }

}  // namespace mcp_session
