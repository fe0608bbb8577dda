// The goals of docs/performance.md: a bench prints each beside its figure and ends with 1 if one
// was missed.
#ifndef TESTS_BENCH_GOAL_H_
#define TESTS_BENCH_GOAL_H_

#include <cstdio>

namespace mcp_session {

class Goals {
 public:
  // Ends the line that tells the figure.
  void AtMost(double figure, double goal) { Tell(figure <= goal, "at most", goal); }
  void AtLeast(double figure, double goal) { Tell(figure >= goal, "at least", goal); }

  int exit_code() const { return missed_ ? 1 : 0; }

 private:
  void Tell(bool met, const char* side, double goal) {
    std::printf(" (goal: %s %g%s)\n", side, goal, met ? "" : ", MISSED");
    missed_ = missed_ || !met;
  }

  bool missed_ = false;
};

}  // namespace mcp_session

#endif  // TESTS_BENCH_GOAL_H_
