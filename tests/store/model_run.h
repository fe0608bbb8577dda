// ModelRun: a store and a model, taken through the same steps.
#ifndef TESTS_STORE_MODEL_RUN_H_
#define TESTS_STORE_MODEL_RUN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/model.h"
#include "tests/store/model_steps.h"
#include "tests/store/model_suite.h"

namespace mcp_session {

class ModelRun {
 public:
  // With `tight` limits on the number of records, if the store has any.
  ModelRun(const ModelBackend& backend, bool tight);

  // What differs after the step; empty: nothing.
  std::string Take(const Step& step);

  // Lets everything end and answers what is left.
  std::string Finish();

 private:
  // A ReadEvents that was not answered yet.
  struct Waiting {
    ModelKey key;
    std::uint64_t after;
    std::size_t limit;
    Instant deadline;
    std::uint64_t order;  // of the record it reads from
  };
  struct Page {
    std::string cursor;
    std::uint64_t listed_up_to = 0;
  };

  std::string TakeCommand(const Step& step);
  std::string TakeRead(const ModelKey& key, Choices& choices);
  std::string TakeList(const ModelKey& key, Choices& choices);
  std::string TakeWholeList(const ModelKey& key, std::size_t limit);
  void TakeTime(const Step& step);

  std::string DataOf(Choices& choices) const;
  Lifetime LifetimeOf(Choices& choices) const;
  Millis LeaseOf(Choices& choices) const;
  std::optional<std::uint64_t> VersionOf(const ModelKey& key, Choices& choices);
  std::uint64_t FenceOf(const ModelKey& key, Choices& choices);
  std::uint64_t AfterOf(const ModelKey& key, Choices& choices);

  StoreReply Run(StoreCommand command);
  // As Run; nothing if there is no reply yet.
  std::optional<StoreReply> Ask(StoreCommand command, bool must_answer);
  void Collect();

  // Says what differs, and writes down what the store chose.
  std::string Compare(const ModelKey& key, const StoreReply& reply, ModelReply model);
  void CompareVersion(const ModelKey& key, const Record& record, ModelReply& model,
                      std::ostream& text);
  void CompareRecord(const Record& record, const ModelRecord& model, std::ostream& text) const;
  void CompareLock(const ModelKey& key, const StoreReply& reply, ModelReply& model,
                   std::ostream& text);
  void CompareSequence(const ModelKey& key, std::uint64_t sequence, ModelStream& stream,
                       std::ostream& text);
  void CompareEvents(const StoreReply& reply, const ModelReply& model, std::ostream& text) const;
  void CompareEnd(Millis said, Instant end, std::ostream& text) const;
  std::string CompareLate(const StoreReply& reply);
  std::string FindOverdue(bool ticked);
  bool HasEnded(const Waiting& waiting);

  const ModelBackend& backend_;
  std::unique_ptr<StoreUnderTest> under_test_;
  Model model_;
  Instant start_;
  std::uint64_t last_ticket_ = 0;
  std::vector<StoreReply> late_;  // replies to reads that waited
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<std::pair<std::string, std::string>, Page> pages_;
  std::map<ModelKey, std::vector<std::uint64_t>> versions_;
  std::map<ModelKey, std::vector<std::uint64_t>> tokens_;
  std::map<ModelKey, std::uint64_t> highest_sequence_;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_RUN_H_
