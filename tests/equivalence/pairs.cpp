#include "equivalence/pairs.h"

#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft::equivalence {

MemoryDataset rows_to_translate(int64_t size, int64_t vocab_size, int64_t longest, uint64_t seed) {
  uint64_t drawn = 0;
  const auto draw = [&](int64_t below) {
    return static_cast<int64_t>(derive_key(seed, "pair", drawn++) % static_cast<uint64_t>(below));
  };
  const auto text = [&] {
    std::vector<int32_t> tokens(static_cast<size_t>(1 + draw(longest)));
    for (int32_t& token : tokens) token = static_cast<int32_t>(draw(vocab_size));
    return tokens;
  };
  const Schema schema = seq2seq::sample_schema(vocab_size, vocab_size);
  std::vector<Sample> samples;
  for (int64_t row = 0; row < size; ++row) {
    Sample sample(schema);
    sample.cells[0].set(text());
    sample.cells[1].set(text());
    sample.weight = 0.5f + static_cast<float>(draw(100)) / 100.0f;
    sample.row = row;
    samples.push_back(std::move(sample));
  }
  return {schema, samples, size};
}

}  // namespace sft::equivalence
