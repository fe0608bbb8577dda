#include "mcp_session/redis/sentinel.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/question.h"

namespace mcp_session {
namespace {

using Found = std::function<void(tl::expected<RedisAddress, RedisFailure>)>;

// One walk over the sentinels. It lives in the callback of its question.
class Search : public std::enable_shared_from_this<Search> {
 public:
  Search(boost::asio::io_context& loop, std::shared_ptr<const RedisOptions> options,
         std::shared_ptr<std::size_t> last_good, Found found)
      : loop_(loop),
        options_(std::move(options)),
        last_good_(std::move(last_good)),
        first_(*last_good_),
        found_(std::move(found)) {}

  void Ask() {
    const std::size_t count = options_->endpoints.size();
    if (asked_ == count) return found_(tl::unexpected(worst_));
    const std::size_t index = (first_ + asked_++) % count;
    // What is left of the time is for the master.
    const Millis timeout{options_->connect_timeout.count / static_cast<std::int64_t>(count + 1) +
                         1};
    RedisQuestion::Ask(
        loop_, *options_, RedisPurpose::kSentinel, options_->endpoints[index],
        {"SENTINEL", "get-master-addr-by-name", options_->master_name}, timeout,
        [self = shared_from_this(), index](auto answer) { self->OnAnswered(index, answer); });
  }

 private:
  void OnAnswered(std::size_t index, const tl::expected<RedisReply, RedisFailure>& answer) {
    if (!answer) {
      // That one refuses us is worth more to know than that another is away.
      if (worst_.code != ErrorCode::kMisconfigured) {
        worst_ = answer.error();
        worst_.reason.insert(0, "sentinel: ");
      }
      return Ask();
    }
    if (answer->elements.size() != 2) {
      worst_ = MakeRedisFailure(RedisCause::kSettings, "the sentinels know no master of this name");
      return Ask();
    }
    const std::optional<std::int64_t> port = ParseDecimal(answer->elements[1].text);
    if (!port || *port < 1 || *port > 65535) return Ask();
    *last_good_ = index;
    found_(RedisAddress{answer->elements[0].text, static_cast<std::uint16_t>(*port)});
  }

  boost::asio::io_context& loop_;
  const std::shared_ptr<const RedisOptions> options_;
  const std::shared_ptr<std::size_t> last_good_;
  const std::size_t first_;
  std::size_t asked_ = 0;
  RedisFailure worst_ = MakeRedisFailure(RedisCause::kNetwork, "no sentinel answers");
  const Found found_;
};

}  // namespace

RedisLocator MakeSentinelLocator(boost::asio::io_context& loop, const RedisOptions& options) {
  return [&loop, kept = std::make_shared<const RedisOptions>(options),
          last_good = std::make_shared<std::size_t>(0)](Found found) {
    std::make_shared<Search>(loop, kept, last_good, std::move(found))->Ask();
  };
}

}  // namespace mcp_session
