#include "mcp_session/factory/create_store.h"

#include <boost/asio/io_context.hpp>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/fallback/degrading_store.h"
#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/probe.h"
#include "mcp_session/redis/store.h"
#include "mcp_session/session/server_engine.h"
#include "mcp_session/sqlite/file_store.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

constexpr std::string_view kInMemory = "state is kept in memory and gone when this ends";

// Who wanted a store, which decides what happens when it is not there.
enum class AskedBy : std::uint8_t { kOption, kEnvironment, kNobody };

struct Choice {
  StoreUrl url;
  AskedBy asked_by = AskedBy::kOption;
};

const char* InWords(AskedBy asked_by) {
  switch (asked_by) {
    case AskedBy::kOption:
      return "as asked";
    case AskedBy::kEnvironment:
      return "REDIS_URL says so";
    case AskedBy::kNobody:
      return "one answers there, and nothing else was asked for";
  }
  return "";
}

Result<Choice> Choose(const StoreOptions& options) {
  if (options.url != "auto") {
    MCPS_TRY(StoreUrl url, ParseStoreUrl(options.url));
    return Choice{std::move(url), AskedBy::kOption};
  }
  if (options.prefer_memory) return Choice{StoreUrl{}, AskedBy::kOption};
  const bool set = !options.redis_url.empty();
  Result<StoreUrl> url = ParseStoreUrl(set ? options.redis_url : options.well_known_url);
  const char* name = set ? "REDIS_URL: " : "the well-known URL: ";
  if (!url) {
    url.error().message.insert(0, name);
    return tl::unexpected(url.error());
  }
  if (!url->is_redis()) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, std::string(name) + "not a Redis");
  }
  return Choice{std::move(*url), set ? AskedBy::kEnvironment : AskedBy::kNobody};
}

// Without a principal a session owns what is made in it.
std::string SessionAsOwner(const RecordKey& key) {
  return key.kind == "session" ? OwnerOf({}, key.id) : std::string();
}

class Maker {
 public:
  Maker(const StoreOptions& options, std::span<boost::asio::io_context* const> loops,
        Entropy& entropy)
      : options_(options), loops_(loops), entropy_(entropy) {
    MCPS_CHECK(!loops_.empty());
  }

  Result<CreatedStores> Make() {
    if (options_.degrade_local && loops_.size() > 1) {
      return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                     "what is kept locally while the store is away is for one loop");
    }
    if (options_.lock_timeout <= Millis{0} || options_.lock_timeout > kMaxLease) {
      return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                     "lock_timeout is from 1 ms to 60 s");
    }
    if (options_.default_ttl <= Millis{0} || options_.default_ttl > kMaxLifetime) {
      return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                     "default_ttl is from 1 ms to 30 days");
    }
    MCPS_TRY(const Choice choice, Choose(options_));
    if (choice.url.scheme == StoreScheme::kMemory) {
      return MakeMemory(options_.url == "auto" ? "memory is preferred" : "as asked");
    }
    return choice.url.scheme == StoreScheme::kFile ? MakeFile(choice) : MakeRedis(choice);
  }

 private:
  CreatedStores MakeMemory(const std::string& why) {
    CreatedStores all;
    if (loops_.size() > 1) all.memory = std::make_unique<SharedMemory>(options_.memory, entropy_);
    for (boost::asio::io_context* loop : loops_) {
      CreatedStore created;
      created.backend = "memory";
      created.why = std::string(kInMemory) + ": " + why;
      if (all.memory != nullptr) {
        created.shared_memory = all.memory.get();
        created.store = std::make_unique<SharedMemoryStore>(*all.memory, loop->get_executor());
      } else {
        auto store = std::make_unique<MemorySessionStore>(options_.memory, entropy_);
        created.memory = store.get();
        created.store = std::move(store);
      }
      all.stores.push_back(WithTimes(std::move(created)));
    }
    return all;
  }

  Result<CreatedStores> MakeRedis(const Choice& choice) {
    const std::string place = PlaceOf(choice.url);
    RedisOptions redis = ToRedisOptions(choice.url, options_);
    if (Result<void> fine = CheckRedisOptions(redis); !fine) return tl::unexpected(fine.error());
    const auto probe = ProbeRedis(redis, options_.detection_timeout);
    const std::string reason = probe ? "answers" : probe.error().reason;
    if (options_.verbose) Log(place + ": " + reason);
    if (!probe && probe.error().code != ErrorCode::kUnavailable) {
      return Failure(probe.error().code, Blame::kEnvironment, place + ": " + reason);
    }
    if (!probe && CannotBeReached(probe.error().cause) && !MayStartWithout(choice)) {
      return Replace(choice, place + " cannot be reached (" + reason + ")");
    }
    CreatedStores all;
    for (boost::asio::io_context* loop : loops_) {
      MCPS_TRY(auto store, RedisSessionStore::Make(*loop, redis, entropy_));
      CreatedStore created;
      created.redis = store.get();
      created.backend = "redis";
      created.why = "state is kept in Redis at " + place + ": " + InWords(choice.asked_by);
      if (!probe) created.why += "; not available yet: " + reason;
      all.stores.push_back(Complete(std::move(created), std::move(store)));
    }
    return all;
  }

  Result<CreatedStores> MakeFile(const Choice& choice) {
    FileStoreOptions file;
    file.path = choice.url.path;
    file.synchronous = SynchronousOf(choice.url, options_);
    file.max_records = options_.max_file_records;
    file.max_record_bytes = options_.memory.max_record_bytes;
    file.max_records_per_owner = options_.memory.max_records_per_owner;
    file.log = options_.log;
    CreatedStores all;
    for (boost::asio::io_context* loop : loops_) {
      auto store = FileSessionStore::Open(file, loop->get_executor(), MonotonicNow());
      if (!store) return tl::unexpected(store.error());
      CreatedStore created;
      created.file = store->get();
      created.backend = "sqlite";
      created.why = "state is kept in " + PlaceOf(choice.url) + ": as asked";
      all.stores.push_back(Complete(std::move(created), std::move(*store)));
    }
    return all;
  }

  // A store that lives with outages can begin with one. One that nobody asked for need not be
  // there.
  bool MayStartWithout(const Choice& choice) const {
    return options_.degrade_local && choice.asked_by != AskedBy::kNobody;
  }

  // What becomes of a Redis that cannot be reached.
  Result<CreatedStores> Replace(const Choice& choice, const std::string& trouble) {
    if (options_.on_unavailable == OnUnavailable::kFail) {
      return Failure(ErrorCode::kUnavailable, Blame::kEnvironment, trouble);
    }
    if (choice.asked_by == AskedBy::kNobody) {
      return MakeMemory("REDIS_URL is not set, and " + trouble);
    }
    CreatedStores all = MakeMemory(trouble);
    for (CreatedStore& created : all.stores) created.fell_back = true;
    Log("warning: " + all.stores.front().why);
    return all;
  }

  CreatedStore Complete(CreatedStore created, std::unique_ptr<SessionStore> store) {
    if (options_.degrade_local) {
      auto degrading = std::make_unique<DegradingStore>(
          std::move(store), DegradingOptions{options_.memory, options_.log, SessionAsOwner},
          entropy_);
      created.degrading = degrading.get();
      created.store = std::move(degrading);
      created.why += "; new records go to memory while it is away";
    } else {
      created.store = std::move(store);
    }
    return WithTimes(std::move(created));
  }

  CreatedStore WithTimes(CreatedStore created) const {
    created.lifetime.idle_ttl = options_.default_ttl;
    created.lock_lease = options_.lock_timeout;
    return created;
  }

  void Log(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  const StoreOptions& options_;
  const std::span<boost::asio::io_context* const> loops_;
  Entropy& entropy_;
};

std::string OneOf(const std::string& first, const std::string& second) {
  return first.empty() ? second : first;
}

}  // namespace

RedisOptions ToRedisOptions(const StoreUrl& url, const StoreOptions& options) {
  RedisOptions redis;
  redis.layout = url.scheme == StoreScheme::kRedisSentinel  ? RedisLayout::kSentinel
                 : url.scheme == StoreScheme::kRedisCluster ? RedisLayout::kCluster
                                                            : RedisLayout::kStandalone;
  redis.endpoints.clear();
  for (const StoreHost& host : url.hosts) redis.endpoints.push_back({host.host, host.port, {}});
  if (!url.path.empty()) redis.endpoints.push_back(RedisAddress{.path = url.path});
  redis.master_name = url.master_name;
  redis.user = url.user;
  redis.password = url.password;
  redis.database = url.database;
  redis.tls.enabled = url.tls;
  redis.tls.ca_file = OneOf(url.ca_file, options.ca_file);
  const bool own = !url.certificate_file.empty();  // the two belong together
  redis.tls.certificate_file = own ? url.certificate_file : options.certificate_file;
  redis.tls.key_file = own ? url.key_file : options.key_file;
  const bool login = !url.sentinel_password.empty();  // so do these
  redis.sentinel_user = login ? url.sentinel_user : options.sentinel_user;
  redis.sentinel_password = login ? url.sentinel_password : options.sentinel_password;
  redis.prefix = OneOf(url.prefix, options.prefix);
  redis.connect_timeout = options.connect_timeout;
  redis.command_timeout = options.command_timeout;
  redis.max_record_bytes = options.memory.max_record_bytes;
  redis.max_records_per_owner = options.memory.max_records_per_owner;
  redis.log = options.log;
  return redis;
}

FileSynchronous SynchronousOf(const StoreUrl& url, const StoreOptions& options) {
  if (url.synchronous == "off") return FileSynchronous::kOff;
  if (url.synchronous == "normal") return FileSynchronous::kNormal;
  return url.synchronous == "full" ? FileSynchronous::kFull : options.synchronous;
}

void ReadEnvironment(const std::function<const char*(const char* name)>& get,
                     StoreOptions* options) {
  if (const char* redis = get("REDIS_URL"); redis != nullptr) options->redis_url = redis;
}

Result<CreatedStore> CreateSessionStore(const StoreOptions& options, boost::asio::io_context& loop,
                                        Entropy& entropy) {
  boost::asio::io_context* const loops[] = {&loop};
  MCPS_TRY(CreatedStores all, CreateSessionStores(options, loops, entropy));
  return std::move(all.stores.front());
}

Result<CreatedStores> CreateSessionStores(const StoreOptions& options,
                                          std::span<boost::asio::io_context* const> loops,
                                          Entropy& entropy) {
  return Maker(options, loops, entropy).Make();
}

}  // namespace mcp_session
