#include "equivalence/supervision.h"

#include <algorithm>
#include <numeric>

namespace sft::equivalence {

MemoryDataset rows_with_a_teacher(int64_t size, int64_t vocab_size, int64_t num_labels, int64_t longest,
                                  uint64_t seed) {
  uint64_t drawn = 0;
  const auto draw = [&] { return static_cast<float>(derive_key(seed, "supervision", drawn++) % 1000) / 1000.0f; };
  const MemoryDataset plain(size, vocab_size, num_labels, longest, seed);
  Schema schema = plain.schema();
  schema.columns.push_back(distribution_column(num_labels));
  schema.columns.push_back(teacher_logits_column(num_labels));
  std::vector<Sample> samples;
  for (int64_t i = 0; i < size; ++i) {
    const Text text = text_of(plain, i);
    std::vector<float> shares(static_cast<size_t>(num_labels)), logits(shares.size());
    for (float& share : shares) share = draw();
    const float sum = std::accumulate(shares.begin(), shares.end(), 0.0f);
    for (float& share : shares) share /= sum;
    for (float& logit : logits) logit = 4 * draw() - 2;
    Sample sample(schema);
    sample.cells[0].set(text.tokens);
    sample.cells[1].set(int64_t{std::ranges::max_element(shares) - shares.begin()});
    sample.cells[2].set(shares);
    sample.cells[3].set(logits);
    sample.weight = text.weight;
    sample.row = i;
    samples.push_back(std::move(sample));
  }
  return {schema, samples, size};
}

}  // namespace sft::equivalence
