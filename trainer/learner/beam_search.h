// Beam search as transformers' generate() does it, token by token: the same candidates, the same float32 scores, the
// same rules of when it is over.
//
//   n beams, V words, K candidates
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/learner/search.h"

namespace sft {

class BeamSearch final : public Search {
 public:
  // Borrows `config`; start.slots has one for each of its beams.
  BeamSearch(SearchStart start, const GenerateConfig& config);

  // At first the prompt alone, whose logits are those of every beam.
  void read_next(std::vector<NextTokens>& batch) const override;
  void choose(const at::Tensor& logits_RV, std::vector<SlotCopy>& copies) override;
  bool is_over() const override { return over_; }
  std::span<const int32_t> settled() const override;
  Continuation answer() const override;

 private:
  struct Beam {
    std::vector<int32_t> tokens;  // of the prompt and of the answer so far
    float score = 0;              // log-probability of the answer
    int64_t slot = 0;             // that keeps all but the last of them
  };
  struct Candidate {
    size_t beam = 0;  // that it goes on from
    int32_t token = 0;
    float score = 0;
    bool ends = false;
  };
  struct Finished {
    std::vector<int32_t> tokens;  // of the answer
    float score = 0;              // by length_penalty
    bool stopped = false;
  };

  std::vector<Candidate> candidates(const at::Tensor& logits_RV) const;  // best first
  void finish(std::span<const Candidate> best);
  void go_on(std::vector<Candidate> best, std::vector<SlotCopy>& copies);
  void move_apart(std::vector<Beam>& next, std::vector<SlotCopy>& copies) const;
  bool can_become_better() const;
  int64_t num_new() const { return static_cast<int64_t>(beams_[0].tokens.size() - start_.tokens.size()); }
  std::vector<int32_t> answer_of(const Beam& beam) const;

  SearchStart start_;
  const GenerateConfig& config_;
  std::vector<Beam> beams_;         // n, best first
  std::vector<Finished> finished_;  // n at most, best first
  bool over_ = false;
};

}  // namespace sft
