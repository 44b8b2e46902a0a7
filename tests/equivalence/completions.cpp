#include "equivalence/completions.h"

#include <algorithm>

#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft::equivalence {

MemoryDataset rows_to_complete(int64_t size, int64_t vocab_size, int64_t longest, uint64_t seed) {
  uint64_t drawn = 0;
  const auto draw = [&](int64_t below) {
    return static_cast<int64_t>(derive_key(seed, "completion", drawn++) % static_cast<uint64_t>(below));
  };
  const Schema schema = causal::sample_schema(vocab_size, longest);
  std::vector<Sample> samples;
  for (int64_t row = 0; row < size; ++row) {
    std::vector<int32_t> tokens(static_cast<size_t>(2 + draw(longest - 1))), spans;
    for (int32_t& token : tokens) token = static_cast<int32_t>(1 + draw(vocab_size - 1));
    const auto length = static_cast<int64_t>(tokens.size());
    for (int64_t from = draw(length), count = draw(5); count > 1 && from < length; --count) {
      const int64_t end = std::min(from + 1 + draw(4), length);
      spans.insert(spans.end(), {static_cast<int32_t>(from), static_cast<int32_t>(end)});
      from = end + 1 + draw(3);
    }
    spans.resize(std::min<size_t>(spans.size(), 4));
    Sample sample(schema);
    sample.cells[0].set(tokens);
    sample.cells[1].set(spans);
    sample.weight = 0.5f + static_cast<float>(draw(100)) / 100.0f;
    sample.row = row;
    samples.push_back(std::move(sample));
  }
  return {schema, samples, size};
}

}  // namespace sft::equivalence
