// The inside of RedisAdmin: questions to Redis that are waited for.
#ifndef MCP_SESSION_REDIS_ADMIN_STATE_H_
#define MCP_SESSION_REDIS_ADMIN_STATE_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/redis/admin.h"
#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/operations.h"
#include "mcp_session/redis/route.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {

class RedisAdmin::State {
 public:
  explicit State(RedisOptions options);
  ~State();

  Result<Page> Scan(std::string_view cursor, std::size_t limit, bool whole);
  Result<Imported> Import(const StoredRecord& record);
  Result<std::optional<StoredRecord>> Find(const StoredKey& key);
  Result<bool> End(const StoredKey& key);
  Result<std::uint64_t> Count();
  std::vector<CheckLine> Check();

 private:
  using Replies = std::vector<RedisReply>;

  // What an owner's index says of a record.
  struct Place {
    std::string member;
    std::uint64_t order = 0;
  };
  using Index = std::map<std::string, Place>;  // by record tag

  // check.cc
  void CheckServer(const std::string& node, std::vector<CheckLine>* lines);
  void CheckMemory(std::string_view info, const std::string& where, std::vector<CheckLine>* lines);
  void CheckPersistence(const std::string& node, const std::string& where,
                        std::vector<CheckLine>* lines);
  void CheckLatency(const std::string& node, const std::string& where,
                    std::vector<CheckLine>* lines);
  void CheckPermissions(std::vector<CheckLine>* lines);
  std::string TryEverything();

  // Runs the loop until there is a connection.
  Result<void> Connect();
  // Sends commands to where `key` is, or to a node, and waits for the replies, none of which is an
  // error.
  Result<Replies> AskKey(std::string_view key, std::string bytes, std::size_t replies);
  Result<Replies> AskNode(const std::string& node, std::string bytes, std::size_t replies);
  Result<Replies> Ask(std::string bytes, std::size_t replies,
                      const std::function<void(RedisExchange)>& send);
  // How many of these, all of one node, are live records.
  Result<std::uint64_t> CountLive(const std::string& node, const std::vector<std::string>& keys);
  Result<std::vector<std::string>> NextKeys(const std::string& node, std::string* cursor);
  std::optional<StoredKey> ParseKey(std::string_view key) const;
  Result<Index> ReadIndex(const StoredKey& key);
  // Nothing: it is gone, or, if `corrupt` is given, no record of ours.
  Result<std::optional<StoredRecord>> Read(const StoredKey& key, const Index& index, bool whole,
                                           std::size_t* data_bytes, bool* corrupt);

  RedisOptions options_;
  const Millis timeout_;  // of a server's commands; ours have more
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  RedisCounters counters_;
  RedisOperations operations_;
  std::unique_ptr<RedisRoute> route_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_ADMIN_STATE_H_
