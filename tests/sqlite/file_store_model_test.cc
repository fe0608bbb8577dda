// FileSessionStore agrees with the model of the contract, and leaves nothing in the file.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/sqlite/database.h"
#include "tests/sqlite/file_backend.h"
#include "tests/store/model_suite.h"

namespace mcp_session {
namespace {

// The model knows no store that is still busy. This one waits, after whatever it is asked, until
// the other has done all that follows from it.
class SettledStore final : public SessionStore {
 public:
  explicit SettledStore(FileStoreUnderTest& inner) : inner_(inner) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    inner_.store().Submit(ticket, std::move(command), now);
    Settle(now);
  }
  void Drain(std::vector<StoreReply>* replies) override {
    for (StoreReply& reply : replies_) replies->push_back(std::move(reply));
    replies_.clear();
  }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return inner_.store().NextDeadline(); }
  void Tick(Instant now) override {
    inner_.store().Tick(now);
    Settle(now);
  }
  StoreStatus Status() const override { return inner_.store().Status(); }

 private:
  // Of two questions in a row the second comes when all that came before the first is done. An
  // empty list of nobody's is asked for: it touches nothing, and is due nowhere.
  void Settle(Instant now) {
    constexpr StoreTicket kQuestion{~std::uint64_t{0}};
    for (int i = 0; i < 2; ++i) {
      inner_.store().Submit(kQuestion, store::List{.owner = "nobody", .kind = "none"}, now);
      for (bool answered = false; !answered;) {
        std::vector<StoreReply> replies;
        inner_.store().Drain(&replies);
        for (StoreReply& reply : replies) {
          if (reply.ticket == kQuestion) {
            answered = true;
          } else {
            replies_.push_back(std::move(reply));
          }
        }
        if (!answered) inner_.Pump();
      }
    }
  }

  FileStoreUnderTest& inner_;
  std::vector<StoreReply> replies_;
};

class SettledFile final : public StoreUnderTest {
 public:
  explicit SettledFile(const StoreLimits& limits) : file_(limits, FileSynchronous::kOff) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return file_.Now(); }
  void Wait(Millis length) override { file_.Wait(length); }
  const std::string& path() const { return file_.path(); }

 private:
  FileStoreUnderTest file_;
  SettledStore store_{file_};
};

// Two stores on one file that are asked in turns. What the one writes the other sees at once, but
// for a reader that waits: so there is no time in it, and no waiting.
class TwoStores final : public StoreUnderTest, public SessionStore {
 public:
  explicit TwoStores(const StoreLimits& limits)
      : first_(limits, FileSynchronous::kOff),
        second_(first_.path(), limits, FileSynchronous::kOff) {}

  SessionStore& store() override { return *this; }
  Instant Now() override { return first_.Now(); }
  void Wait(Millis) override {}
  void Pump() override {
    for (Half& half : halves_) {
      if (half.asked > 0) return half.file.get().Pump();
    }
  }

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    std::swap(halves_[0], halves_[1]);
    ++halves_[0].asked;
    halves_[0].file.get().store().Submit(ticket, std::move(command), now);
  }
  void Drain(std::vector<StoreReply>* replies) override {
    for (Half& half : halves_) {
      const std::size_t before = replies->size();
      half.file.get().store().Drain(replies);
      half.asked -= replies->size() - before;
    }
  }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return kNever; }
  void Tick(Instant) override {}
  StoreStatus Status() const override { return {.backend = "two files"}; }

 private:
  struct Half {
    std::reference_wrapper<FileStoreUnderTest> file;
    std::size_t asked = 0;  // and not answered
  };

  FileStoreUnderTest first_;
  FileStoreUnderTest second_;
  std::array<Half, 2> halves_ = {{{first_}, {second_}}};
};

std::string FindRemains(StoreUnderTest& under_test) {
  const std::string& path = static_cast<SettledFile&>(under_test).path();
  const auto database = std::move(*sqlite::Database::Open(path, Seconds(10)));
  std::string remains;
  for (const char* what :
       {"SELECT count(*) FROM records", "SELECT count(*) FROM events", "SELECT count(*) FROM locks",
        "SELECT held FROM meta", "SELECT remembered FROM meta"}) {
    if (database->ReadInt(what) != 0) remains += std::string(what) + " is not 0; ";
  }
  return database->failed() ? "the file cannot be read" : remains;
}

template <typename UnderTest>
StoreBackend Backend(std::string name) {
  return {.name = std::move(name),
          .make = [](const StoreLimits& limits) -> std::unique_ptr<StoreUnderTest> {
            return std::make_unique<UnderTest>(limits);
          }};
}

INSTANTIATE_TEST_SUITE_P(File, StoreModel,
                         testing::Values(ModelBackend{.backend = Backend<SettledFile>("One"),
                                                      .sequences = 150,
                                                      .has_manual_clock = true,
                                                      .find_remains = FindRemains},
                                         ModelBackend{.backend = Backend<TwoStores>("Two"),
                                                      .sequences = 10'000,
                                                      .together = 100}),
                         ModelBackendName);

}  // namespace
}  // namespace mcp_session
