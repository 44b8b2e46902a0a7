// How one prompt is gone on from: which tokens the model reads at each step, and which answer comes of it. Searches
// know nothing of each other; the generator (trainer/learner/generator.h) lets many of them share a batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/models/blocks/key_value_cache.h"
#include "trainer/models/decoding_inputs.h"
#include "trainer/tasks/generate_config.h"
#include "trainer/tasks/generating.h"

namespace sft {

class Search {
 public:
  virtual ~Search() = default;

  // Puts behind `batch` what is to be read, one sequence for each row of logits that is wanted.
  virtual void read_next(std::vector<NextTokens>& batch) const = 0;
  // Takes the logits [R, V] of these, float32 in host memory, which it may change. Rows of the cache that the next step
  // wants in another slot are put behind `copies`.
  virtual void choose(const at::Tensor& logits_RV, std::vector<SlotCopy>& copies) = 0;
  virtual bool is_over() const = 0;

  // The tokens that nothing will change any more.
  virtual std::span<const int32_t> settled() const = 0;
  // The answer, or the best one so far.
  virtual Continuation answer() const = 0;
};

// From where a search starts, and how far it may go.
struct SearchStart {
  std::vector<int32_t> tokens;      // one at least
  int64_t most_new = 1;             // tokens of the answer
  std::vector<int64_t> slots = {};  // of the cache, one a beam; their rows are the search's own
  uint64_t seed = 0;                // of draws
  int64_t row = 0;
};

// Greedy, drawn, or by beams, as `config` says, which is borrowed.
std::unique_ptr<Search> make_search(SearchStart start, const GenerateConfig& config);

}  // namespace sft
