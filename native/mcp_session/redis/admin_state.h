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
  Result<std::vector<Imported>> Import(const std::vector<StoredRecord>& records);
  Result<std::optional<StoredRecord>> Find(const StoredKey& key);
  Result<bool> End(const StoredKey& key);
  Result<std::uint64_t> EndUpTo(const std::vector<Ending>& endings);
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

  // One thing to ask of where `key` is.
  struct Question {
    std::string key;
    std::string bytes;
    std::size_t replies = 1;
  };

  // What a key has: nothing, a record, or something that is no record of ours.
  struct Found {
    std::optional<StoredRecord> record;
    std::size_t data_bytes = 0;
    bool corrupt = false;
  };

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
  // The same for many at once; each has its own answer.
  std::vector<Result<Replies>> AskKeys(std::vector<Question> questions);
  RedisExchange MakeExchange(std::string bytes, std::size_t replies) const;
  Result<Replies> ReadDelivery(RedisDelivery delivery);

  // How many of these, all of one node, are live records.
  Result<std::uint64_t> CountLive(const std::string& node, const std::vector<std::string>& keys);
  Result<std::vector<std::string>> NextKeys(const std::string& node, std::string* cursor);
  std::optional<StoredKey> ParseKey(std::string_view key) const;

  static bool IsKey(const StoredKey& key);
  static tl::unexpected<Error> Refuse(std::string what);
  static tl::unexpected<Error> Corrupt();

  // admin_records.cc
  Question AboutIndex(const std::string& owner_tag) const;
  static Index ReadIndex(const RedisReply& reply);
  Question AboutRecord(const StoredKey& key, bool whole) const;
  static Found ReadRecord(const StoredKey& key, bool whole, const Replies& replies);
  // What each of the keys has.
  Result<std::vector<Found>> Read(const std::vector<StoredKey>& keys, bool whole);
  Result<Question> PlanImport(const StoredRecord& record) const;
  // Nothing expected: whatever version it has.
  Question PlanEnd(const StoredKey& key, std::string_view expected, std::string_view member) const;

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
