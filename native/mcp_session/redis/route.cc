#include "mcp_session/redis/route.h"

#include <utility>

#include "mcp_session/redis/cluster.h"
#include "mcp_session/redis/sentinel.h"

namespace mcp_session {
namespace {

// One server, which may have to be looked for.
class DirectRoute final : public RedisRoute {
 public:
  DirectRoute(boost::asio::io_context& loop, const RedisOptions& options, Entropy& entropy,
              RedisCounters& counters, RedisLocator locate)
      : locate_(std::move(locate)),
        link_(std::make_shared<RedisLink>(loop, options, entropy, counters, locate_)) {
    link_->Start();
  }
  ~DirectRoute() override { Close(); }

  void Send(std::string_view, RedisExchange exchange) override { link_->Send(std::move(exchange)); }
  std::vector<std::string> Nodes() const override { return {""}; }
  void SendTo(const std::string&, RedisExchange exchange) override {
    link_->Send(std::move(exchange));
  }
  bool AreTogether(std::string_view, std::string_view) const override { return true; }
  RedisLocator EventsLocator() override { return locate_; }
  StoreState state() const override { return link_->state(); }
  std::string reason() const override { return link_->reason(); }
  RedisCause cause() const override { return link_->cause(); }
  std::optional<bool> MayEvict() const override { return link_->MayEvict(); }
  void Close() override { link_->Close(); }

 private:
  const RedisLocator locate_;
  const std::shared_ptr<RedisLink> link_;
};

}  // namespace

std::unique_ptr<RedisRoute> MakeRedisRoute(boost::asio::io_context& loop,
                                           const RedisOptions& options, Entropy& entropy,
                                           RedisCounters& counters) {
  if (options.layout == RedisLayout::kCluster) {
    return std::make_unique<ClusterRoute>(loop, options, entropy, counters);
  }
  RedisLocator locate = [address = options.endpoints[0]](auto found) { found(address); };
  if (options.layout == RedisLayout::kSentinel) locate = MakeSentinelLocator(loop, options);
  return std::make_unique<DirectRoute>(loop, options, entropy, counters, std::move(locate));
}

}  // namespace mcp_session
