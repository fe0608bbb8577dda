// How a coroutine waits for what is begun on an object of a loop and answered by a callback: the
// awaitable faces of stores and clients.
#ifndef MCP_SESSION_FACE_AWAIT_H_
#define MCP_SESSION_FACE_AWAIT_H_

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace mcp_session {

// Begins something on `target` that calls `done` once, in a later turn; the number for
// Target::Cancel, or 0 if it cannot be cancelled.
template <typename Target, typename T>
using BeginOn = std::function<std::uint64_t(Target& target, std::function<void(T)> done)>;

// What `begin` is answered; `gone` if the target is no more. Whatever the coroutine needs is in its
// parameters.
template <typename Target, typename T>
boost::asio::awaitable<T> Await(std::weak_ptr<Target> weak_target, BeginOn<Target, T> begin,
                                T gone) {
  namespace asio = boost::asio;
  auto initiate = [weak_target, begin, gone](auto handler) {
    using Handler = decltype(handler);
    auto kept = std::make_shared<Handler>(std::move(handler));
    auto done = [kept](T value) {
      asio::get_associated_cancellation_slot(*kept).clear();
      const auto executor = asio::get_associated_executor(*kept);
      asio::dispatch(executor, [kept, value = std::move(value)]() mutable {
        Handler resume = std::move(*kept);
        std::move(resume)(std::move(value));
      });
    };
    const auto target = weak_target.lock();
    if (target == nullptr) {
      asio::post(asio::get_associated_executor(*kept), [done, gone] { done(gone); });
      return;
    }
    const std::uint64_t number = begin(*target, done);
    auto slot = asio::get_associated_cancellation_slot(*kept);
    if (number == 0 || !slot.is_connected()) return;
    slot.assign([weak_target, number](asio::cancellation_type) {
      if (const auto cancelled = weak_target.lock()) cancelled->Cancel(number);
    });
  };
  T answer = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), asio::use_awaitable);
  co_return answer;
}

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_AWAIT_H_
