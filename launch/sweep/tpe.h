// A tree-structured Parzen estimator: the next settings are those that are likelier among the good trials than among
// the others, of some that are drawn from the good ones.
#pragma once

#include "launch/sweep/parzen_estimator.h"

namespace sft {

// What has come of a trial, as a sampler sees it. Failed: with an error of its own, divergence among them.
struct ObservedTrial {
  enum class State { finished, pruned, failed, running };

  SearchPoint place;
  State state = State::running;
  double value = 0;         // finished or pruned: its best, less is better; not-a-number is the worst
  int64_t evaluations = 0;  // that it has made
};

// Which of the trials are the good ones: a tenth, rounded up, 25 at most, of those that have ended. Finished ones come
// before pruned ones, of which those that came further are better. Sorted.
std::vector<size_t> good_trials(const std::vector<ObservedTrial>& trials);

// Of 24 places drawn from the good trials' density the one whose density is the largest in relation to the others'. A
// pure function: `trials` in their order, and a key.
SearchPoint propose(const std::vector<SearchAxis>& axes, const std::vector<ObservedTrial>& trials, uint64_t key);

}  // namespace sft
