// Tasks on several nodes: any of them answers for a task, and reaches the one that works on it; one
// that died is not waited for (K-03, K-05, X-06).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/task_node.h"

namespace mcp_session {
namespace {

class TasksNodesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(one_->Add("slow", [this](ToolCall call) { calls_.push_back(std::move(call)); }));
    const TaskNode::Answer begun = one_->Call("slow");
    task_ = begun.Text("taskId");
    ASSERT_EQ(calls_.size(), 1u);
  }
  void Kill() {
    calls_.clear();
    one_ = nullptr;
  }

  TaskWorld world_;
  std::unique_ptr<TaskNode> one_ = std::make_unique<TaskNode>(world_);
  TaskNode two_{world_};
  std::vector<ToolCall> calls_;
  std::string task_;
};

TEST_F(TasksNodesTest, AnyNodeAnswersForATask) {
  EXPECT_EQ(two_.StatusOf(task_), "working");
  calls_[0].Reply(ToolResult::Text("Done."));
  one_->Wake();
  EXPECT_EQ(two_.StatusOf(task_), "completed");
}

TEST_F(TasksNodesTest, ACancellationReachesTheNodeThatWorksOnIt) {
  EXPECT_EQ(two_.Cancel(task_).Text("resultType"), "complete");
  EXPECT_EQ(two_.StatusOf(task_), "cancelled");
  one_->Wake();
  EXPECT_TRUE(calls_[0].cancelled());
  EXPECT_EQ(one_->server().open_calls(), 0u);
  EXPECT_EQ(one_->StatusOf(task_), "cancelled");
}

TEST_F(TasksNodesTest, ACancellationThatDoesNotArriveStopsTheResult) {
  two_.store().Hold();
  two_.Cancel(task_);
  const std::uint64_t exchange = two_.last();
  two_.store().ReleaseAt(0);  // it has read the task
  two_.Wake();
  two_.store().Fail(ErrorCode::kUnavailable, 1);  // what the other node would hear
  two_.store().Release();
  two_.Wake();
  EXPECT_EQ(two_.Of(exchange).status, 200);
  one_->Wake();
  EXPECT_FALSE(calls_[0].cancelled());
  calls_[0].Reply(ToolResult::Text("Done."));
  one_->Wake();
  EXPECT_EQ(one_->StatusOf(task_), "cancelled");
  EXPECT_EQ(one_->server().open_calls(), 0u);
}

TEST_F(TasksNodesTest, ATaskThatRunsLongIsWorkedOnAllTheTime) {
  for (int minute = 0; minute < 50; ++minute) {
    one_->Pass(Minutes(1));
    ASSERT_EQ(two_.StatusOf(task_), "working") << minute;
  }
  EXPECT_FALSE(calls_[0].cancelled());
}

// For 30 seconds its run is thought to be there, and then its node has as long to come back.
TEST_F(TasksNodesTest, ATaskWhoseNodeDiedHasFailedInTimeHoweverOftenItIsAskedFor) {
  Kill();
  for (int second = 1; second < 60; ++second) {
    two_.Pass(Seconds(1));
    ASSERT_EQ(two_.StatusOf(task_), "working") << second;
  }
  two_.Pass(Seconds(1));
  const TaskNode::Answer failed = two_.Get(task_);
  EXPECT_EQ(failed.Text("status"), "failed");
  EXPECT_EQ(failed.Text("statusMessage"), "the server that worked on this task is gone");
  EXPECT_EQ(FindInteger(*FindObject(failed.result, "error"), "code"), -32603);
  EXPECT_EQ(failed.Text("lastUpdatedAt"), "2026-07-28T08:01:00.000Z");
  two_.Pass(Minutes(1));
  EXPECT_EQ(two_.Get(task_).message.dump(), failed.message.dump());
}

TEST_F(TasksNodesTest, ANodeThatComesBackInTimeGoesOn) {
  two_.Pass(Seconds(40));  // the first does not run
  EXPECT_EQ(two_.StatusOf(task_), "working");
  one_->Wake();
  one_->Pass(Seconds(11));
  EXPECT_EQ(two_.StatusOf(task_), "working");  // it is not missed any more
  one_->Pass(Minutes(2));
  EXPECT_EQ(two_.StatusOf(task_), "working");
  EXPECT_FALSE(calls_[0].cancelled());
  two_.Pass(Seconds(40));  // again, and as long
  EXPECT_EQ(two_.StatusOf(task_), "working");
}

// Its result comes too late.
TEST_F(TasksNodesTest, ANodeThatWasGivenUpStops) {
  two_.Pass(Minutes(1));  // the first does not run
  EXPECT_EQ(two_.StatusOf(task_), "working");
  two_.Pass(Seconds(30));
  EXPECT_EQ(two_.StatusOf(task_), "failed");
  one_->Wake();
  one_->Pass(Seconds(1));
  EXPECT_TRUE(calls_[0].cancelled());
  calls_[0].Reply(ToolResult::Text("Done."));
  one_->Wake();
  EXPECT_EQ(one_->StatusOf(task_), "failed");
}

TEST_F(TasksNodesTest, AnOutageThatOutlivesTheRunIsNoDeath) {
  for (TaskNode* node : {one_.get(), &two_}) node->store().Fail(ErrorCode::kUnavailable);
  one_->Pass(Minutes(5));
  EXPECT_EQ(two_.Get(task_).status, 503);
  for (TaskNode* node : {one_.get(), &two_}) node->store().Heal();
  EXPECT_EQ(two_.StatusOf(task_), "working");
  one_->Pass(Seconds(12));
  EXPECT_EQ(two_.StatusOf(task_), "working");
  one_->Pass(Minutes(2));
  EXPECT_EQ(two_.StatusOf(task_), "working");
  calls_[0].Reply(ToolResult::Text("Done."));
  one_->Wake();
  EXPECT_EQ(two_.StatusOf(task_), "completed");
}

TEST_F(TasksNodesTest, AnOutageIsNoDeath) {
  two_.store().Hold();
  two_.Get(task_);
  const std::uint64_t exchange = two_.last();
  two_.store().ReleaseAt(0);  // it has read the task
  two_.store().Fail(ErrorCode::kUnavailable, 1);
  two_.Wake();
  two_.store().Release();
  two_.Wake();
  EXPECT_EQ(two_.Of(exchange).status, 503);
  EXPECT_EQ(two_.store().puts(), 0u);
  EXPECT_EQ(two_.StatusOf(task_), "working");
}

// Between reading the task and its run, it ends.
TEST_F(TasksNodesTest, ATaskThatEndsMeanwhileHasNotFailed) {
  two_.store().Hold();
  two_.Get(task_);
  const std::uint64_t exchange = two_.last();
  calls_[0].Reply(ToolResult::Text("Done."));
  one_->Wake();
  two_.store().Release();
  for (int i = 0; i < 3; ++i) two_.Wake();
  EXPECT_EQ(two_.Of(exchange).Text("status"), "completed");
}

TEST_F(TasksNodesTest, NodesCountTogetherHowManyACallerHas) {
  ASSERT_TRUE(two_.Add("slow", [this](ToolCall call) { calls_.push_back(std::move(call)); }));
  for (int i = 1; i < 16; ++i) EXPECT_EQ(two_.Call("slow").Text("resultType"), "task");
  EXPECT_EQ(two_.Call("slow").status, 429);
  EXPECT_EQ(one_->Call("slow").status, 429);
}

}  // namespace
}  // namespace mcp_session
