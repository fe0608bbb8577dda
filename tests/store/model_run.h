// ModelRun: a store and a model, taken through the same steps.
#ifndef TESTS_STORE_MODEL_RUN_H_
#define TESTS_STORE_MODEL_RUN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/model.h"
#include "tests/store/model_steps.h"
#include "tests/store/model_suite.h"

namespace mcp_session {

// The limits of a store that `runs` runs share.
StoreLimits LimitsOf(const ModelBackend& backend, bool tight, std::size_t runs);

class ModelRun {
 public:
  // `tight`: with a low limit on the number of records. `store`, made with LimitsOf, may be shared
  // with other runs; tickets are from `first_ticket` on.
  ModelRun(const ModelBackend& backend, bool tight, StoreUnderTest& store,
           std::uint64_t first_ticket);

  // A step: Start, Hear with what the store answers to this run's tickets until it is not busy, and
  // then End, which says what differs; empty: nothing.
  void Start(const Step& step);
  void Hear(StoreReply reply);
  bool is_busy() const { return asked_.has_value(); }
  std::string End();

  // Lets everything end and answers what is left. Only of a store that is not shared.
  std::string Finish();

 private:
  // What is to be answered: by what ticket, and as the model did.
  struct Asked {
    std::uint64_t ticket;
    ModelKey key;
    ModelReply model;
    Instant since;
  };
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

  void StartCommand(const Step& step);
  void StartRead(const ModelKey& key, Choices& choices);
  void StartList(const ModelKey& key, Choices& choices);
  void TakeTime(const Step& step);

  std::string DataOf(Choices& choices) const;
  Lifetime LifetimeOf(Choices& choices) const;
  Millis LeaseOf(Choices& choices) const;
  std::optional<std::uint64_t> VersionOf(const ModelKey& key, Choices& choices);
  std::uint64_t FenceOf(const ModelKey& key, Choices& choices);
  std::uint64_t AfterOf(const ModelKey& key, Choices& choices);

  std::uint64_t Submit(StoreCommand command);
  void Ask(const ModelKey& key, StoreCommand command, ModelReply model);
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
  StoreUnderTest& under_test_;
  Model model_;
  std::uint64_t last_ticket_;
  std::optional<Asked> asked_;
  std::string difference_;        // of the step
  bool has_ticked_ = false;       // in the step
  bool lists_ = false;            // so does the step
  Millis longest_{};              // that a reply was waited for
  std::vector<StoreReply> late_;  // replies to reads that waited
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<std::pair<std::string, std::string>, Page> pages_;
  std::map<ModelKey, std::vector<std::uint64_t>> versions_;
  std::map<ModelKey, std::vector<std::uint64_t>> tokens_;
  std::map<ModelKey, std::uint64_t> highest_sequence_;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_RUN_H_
