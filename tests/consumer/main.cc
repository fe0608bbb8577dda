// Keeps a basket in a store: that this builds and prints is the test.
#include <cstdio>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

int main() {
  using namespace mcp_session;
  SystemEntropy entropy;
  MemorySessionStore store(MemoryStoreOptions{}, entropy);
  const RecordKey key{.owner = "alice", .kind = "basket", .id = "basket_1"};
  store.Submit({1}, store::Create{key, "apple", {.idle_ttl = Hours(1), .max_life = {}}}, Instant{0});
  store.Submit({2}, store::Get{key}, Instant{1});
  std::vector<StoreReply> replies;
  store.Drain(&replies);
  if (replies.size() != 2 || replies[1].error || *replies[1].record.data != "apple") return 1;
  std::printf("consumer: the basket holds one %s\n", replies[1].record.data->c_str());
}
