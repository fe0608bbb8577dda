#include "mcp_session/stdio/child_link.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstdio>

#include "mcp_session/stdio/child.h"
#include "mcp_session/stdio/line_reader.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMaxErrorLine = 8u << 10;
constexpr Millis kShortestPoll{2};
constexpr Millis kLongestPoll{50};

void ToOurStderr(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

// One run of the server. Operations of the loop keep it alive until its process has been waited
// for.
//
//   kServing   lines go both ways
//   kLeaving   its stdin is closed; it may end by itself
//   kAsked     SIGTERM was sent
//   kKilled    SIGKILL was sent
//   kGone      it has been waited for
class RunningChild : public std::enable_shared_from_this<RunningChild> {
 public:
  RunningChild(asio::io_context& loop, const Child& child, const ChildLinkOptions& options,
               std::function<void(ClientEvent event)> tell)
      : options_(options),
        tell_(std::move(tell)),
        id_(child.id),
        input_(loop, child.input),
        output_(loop, child.output),
        errors_(loop, child.errors),
        timer_(loop),
        lines_(options.max_message_bytes),
        error_lines_(kMaxErrorLine) {}

  void Begin() {
    ReadOutput();
    ReadErrors();
  }

  void Send(std::string text) {
    if (step_ != Step::kServing) return;
    if (queued_.size() + text.size() > options_.max_queued_bytes) return End();
    queued_ += text;
    queued_ += '\n';
    Write();
  }

  // `done` once the process is gone. Nothing is told any more.
  void Stop(std::function<void()> done) {
    tell_ = nullptr;
    if (step_ == Step::kGone) return done();
    done_ = std::move(done);
    Leave();
  }

  // At once, without the loop.
  void Kill() {
    tell_ = nullptr;
    done_ = nullptr;
    if (step_ == Step::kGone) return;
    kill(id_, SIGKILL);
    while (waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
    Gone();
  }

 private:
  enum class Step : std::uint8_t { kServing, kLeaving, kAsked, kKilled, kGone };

  void ReadOutput() {
    output_.async_read_some(
        asio::buffer(output_room_),
        [self = shared_from_this()](const error_code& error, std::size_t bytes) {
          self->OnOutput(error, bytes);
        });
  }

  void OnOutput(const error_code& error, std::size_t bytes) {
    std::string_view unread(output_room_.data(), bytes);
    while (const auto line = lines_.Next(&unread)) {
      if (line->too_long) return End();
      if (!line->text.empty()) Tell(client_event::MessageArrived{line->text});
    }
    if (!error) return ReadOutput();
    if (const auto line = lines_.Last()) Tell(client_event::MessageArrived{line->text});
    End();
  }

  void ReadErrors() {
    errors_.async_read_some(
        asio::buffer(error_room_),
        [self = shared_from_this()](const error_code& error, std::size_t bytes) {
          std::string_view unread(self->error_room_.data(), bytes);
          while (const auto line = self->error_lines_.Next(&unread)) self->Report(*line);
          if (!error) self->ReadErrors();
        });
  }

  void Report(const LineReader::Line& line) {
    const std::string_view text = line.too_long ? "(a line that is too long)" : line.text;
    if (options_.on_stderr) return options_.on_stderr(text);
    ToOurStderr(text);
  }

  void Write() {
    if (writing_ || queued_.empty()) return;
    writing_ = true;
    sent_ = std::exchange(queued_, {});
    asio::async_write(input_, asio::buffer(sent_),
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->writing_ = false;
                        if (error) return self->End();
                        self->Write();
                        if (self->step_ == Step::kLeaving) self->CloseInput();
                      });
  }

  void Tell(ClientEvent event) {
    if (tell_) tell_(std::move(event));
  }

  // The channel is over, for whatever reason; the process will be.
  void End() {
    const auto tell = std::exchange(tell_, nullptr);
    Leave();
    if (!tell) return;
    asio::post(input_.get_executor(), [tell] { tell(client_event::ChannelClosed{}); });
  }

  void Leave() {
    if (step_ != Step::kServing) return;
    step_ = Step::kLeaving;
    CloseInput();
    next_step_ = MonotonicNow() + options_.exit_time;
    Poll();
  }

  void CloseInput() {
    error_code ignored;  // it is closed either way
    if (!writing_) input_.close(ignored);
  }

  void Poll() {
    const pid_t waited = waitpid(id_, nullptr, WNOHANG);
    if (waited == id_ || (waited < 0 && errno != EINTR)) return Gone();
    if (MonotonicNow() >= next_step_ && step_ != Step::kKilled) {
      step_ = step_ == Step::kLeaving ? Step::kAsked : Step::kKilled;
      kill(id_, step_ == Step::kAsked ? SIGTERM : SIGKILL);
      next_step_ = MonotonicNow() + options_.exit_time;
      poll_ = kShortestPoll;
    }
    timer_.expires_after(std::chrono::milliseconds(poll_.count));
    poll_ = std::min(Millis{poll_.count * 2}, kLongestPoll);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error && self->step_ != Step::kGone) self->Poll();
    });
  }

  void Gone() {
    step_ = Step::kGone;
    ReadLastErrors();
    error_code ignored;  // they are closed either way
    input_.close(ignored);
    output_.close(ignored);
    errors_.close(ignored);
    timer_.cancel();
    if (done_) std::exchange(done_, nullptr)();
  }

  // What is there; its own children may keep the pipe open for ever.
  void ReadLastErrors() {
    error_code error;
    errors_.non_blocking(true, error);
    std::array<char, kMaxErrorLine> room;
    while (!error) {
      const std::size_t bytes = errors_.read_some(asio::buffer(room), error);
      std::string_view unread(room.data(), bytes);
      while (const auto line = error_lines_.Next(&unread)) Report(*line);
    }
    if (const auto line = error_lines_.Last()) Report(*line);
  }

  const ChildLinkOptions options_;
  std::function<void(ClientEvent event)> tell_;
  std::function<void()> done_;
  const pid_t id_;
  asio::posix::stream_descriptor input_;
  asio::posix::stream_descriptor output_;
  asio::posix::stream_descriptor errors_;
  asio::steady_timer timer_;
  LineReader lines_;
  LineReader error_lines_;
  std::array<char, kReadBytes> output_room_;
  std::array<char, kMaxErrorLine> error_room_;
  std::string queued_;
  std::string sent_;
  bool writing_ = false;
  Step step_ = Step::kServing;
  Instant next_step_;
  Millis poll_ = kShortestPoll;
};

class ChildLink final : public ClientLink {
 public:
  ChildLink(asio::io_context& loop, ChildLinkOptions options)
      : loop_(loop), options_(std::move(options)) {}
  ~ChildLink() override {
    if (child_ != nullptr) child_->Kill();
  }

  ClientTransport transport() const override { return ClientTransport::kChannel; }
  void OnEvent(std::function<void(ClientEvent event)> tell) override { tell_ = std::move(tell); }

  Result<void> Start() override {
    if (child_ != nullptr) child_->Stop([] {});
    MCPS_TRY(const Child child, StartChild(options_.command, options_.environment));
    child_ = std::make_shared<RunningChild>(loop_, child, options_, tell_);
    child_->Begin();
    return {};
  }

  void Do(ClientEffect& effect) override {
    auto* send = std::get_if<client_effect::Send>(&effect);
    if (send != nullptr && child_ != nullptr) child_->Send(std::move(send->text));
  }

  void Stop(std::function<void()> done) override {
    if (child_ == nullptr) return done();
    child_->Stop(std::move(done));
  }

 private:
  asio::io_context& loop_;
  const ChildLinkOptions options_;
  std::function<void(ClientEvent event)> tell_;
  std::shared_ptr<RunningChild> child_;  // null: none was started
};

}  // namespace

Result<std::unique_ptr<ClientLink>> MakeChildLink(asio::io_context& loop,
                                                  ChildLinkOptions options) {
  const bool has_nul =
      std::any_of(options.command.begin(), options.command.end(),
                  [](const std::string& text) { return text.find('\0') != std::string::npos; });
  if (options.command.empty() || options.command[0].empty() || has_nul) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "there is no program to run");
  }
  return std::make_unique<ChildLink>(loop, std::move(options));
}

}  // namespace mcp_session
