// The inside of StoreDesk. Private to this folder.
//
// Theory of operation. Run submits at once and has the store drained in a later turn of the loop,
// so nobody is answered from inside a call. One timer serves the store's deadlines. A lock that
// may be waited for goes into the line of its key: only the first of a line has a Lock command
// under way, or a time to ask again; all in the line have a time to give up. Whoever is cancelled
// leaves the line; if his command is granted after that, the lock is given back.
#ifndef MCP_SESSION_FACE_DESK_STATE_H_
#define MCP_SESSION_FACE_DESK_STATE_H_

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "mcp_session/base/slot_map.h"
#include "mcp_session/face/store_desk.h"

namespace mcp_session {

class StoreDesk::State : public std::enable_shared_from_this<StoreDesk::State> {
 public:
  State(SessionStore& store, boost::asio::any_io_executor executor, Entropy& entropy);

  void Open();   // when there is a shared_ptr to it
  void Close();  // the store is not touched any more

  std::uint64_t Run(const MakeCommand& make, Answer answer);
  std::uint64_t Lock(RecordName name, LockOptions options, LockAnswer answer);
  void Cancel(std::uint64_t number);
  void Released(const RecordName& name);
  Entropy& entropy() const { return entropy_; }
  StoreStatus Status() const { return store_.Status(); }

 private:
  struct LockWaiter {
    RecordName name;
    LockOptions options;
    LockAnswer answer;
    std::uint64_t number = 0;
    Instant gives_up{};
  };
  using Waiter = std::shared_ptr<LockWaiter>;
  struct Line {
    explicit Line(const boost::asio::any_io_executor& executor) : timer(executor) {}
    std::list<Waiter> waiters;
    boost::asio::steady_timer timer;
    bool asking = false;  // for the first of them
    Instant ask_at{};     // if not asking
    Millis delay{};       // the last one
    Millis locked_for{};  // as the store said last
  };
  using LineKey = std::tuple<std::string, std::string, std::string>;
  struct Waiting {
    Answer answer;  // of a command; or
    Waiter lock;
  };

  void DrainSoon();
  void Drain();
  void SetTimer();
  void Post(std::function<void()> action);

  void Ask(const Waiter& waiter, LineKey key);
  void Asked(const Waiter& waiter, const LineKey& key, std::uint64_t holder, Instant asked,
             StoreReply reply);
  bool Settle(const Waiter& waiter, StoreResult<LockGrant> result);
  void Advance(const LineKey& key);
  void GiveUp(Line& line, Instant now);

  SessionStore& store_;
  boost::asio::any_io_executor executor_;
  Entropy& entropy_;
  boost::asio::steady_timer timer_;
  Instant timer_at_ = kNever;
  bool closed_ = false;
  bool draining_soon_ = false;
  SlotMap<Waiting> waiting_;  // by ticket
  std::map<LineKey, Line> lines_;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_DESK_STATE_H_
