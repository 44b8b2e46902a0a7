#include "trainer/learner/search.h"

#include "trainer/learner/beam_search.h"
#include "trainer/learner/next_token.h"

namespace sft {
namespace {

// One token after the other, each the likeliest or drawn.
class SingleSearch final : public Search {
 public:
  SingleSearch(SearchStart start, const GenerateConfig& config)
      : start_(std::move(start)), config_(config), all_(start_.tokens) {}

  void read_next(std::vector<NextTokens>& batch) const override {
    const std::span<const int32_t> next = std::span(all_).subspan(static_cast<size_t>(kept_));
    batch.push_back({start_.slots.front(), kept_, {next.begin(), next.end()}});
  }

  void choose(const at::Tensor& logits_1V, std::vector<SlotCopy>&) override {
    kept_ = static_cast<int64_t>(all_.size());
    const NextPlace place{all_, num_new(), start_.most_new};
    const std::span<float> logits(logits_1V.data_ptr<float>(), static_cast<size_t>(logits_1V.numel()));
    const int32_t chosen = next_token(logits, place, config_, {start_.seed, start_.row, place.in_answer});
    stopped_ = has(config_.eos_token_id, chosen);
    if (!stopped_) all_.push_back(chosen);
  }

  bool is_over() const override { return stopped_ || num_new() == start_.most_new; }
  std::span<const int32_t> settled() const override { return std::span(all_).subspan(start_.tokens.size()); }
  Continuation answer() const override { return {{settled().begin(), settled().end()}, stopped_}; }

 private:
  int64_t num_new() const { return static_cast<int64_t>(all_.size() - start_.tokens.size()); }

  SearchStart start_;
  const GenerateConfig& config_;
  std::vector<int32_t> all_;  // tokens of the prompt and of the answer so far
  int64_t kept_ = 0;          // of these in the cache
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Search> make_search(SearchStart start, const GenerateConfig& config) {
  if (config.num_beams > 1) return std::make_unique<BeamSearch>(std::move(start), config);
  return std::make_unique<SingleSearch>(std::move(start), config);
}

}  // namespace sft
