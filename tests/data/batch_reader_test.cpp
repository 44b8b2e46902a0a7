// What a batch holds of its samples, target by target: each where its sample, or its token, stands.
#include "data/loading/batch_reader.h"

#include <gtest/gtest.h>

#include "support/memory_dataset.h"

namespace sft {
namespace {

template <class T, class Other>
void append(std::vector<T>& to, const std::vector<Other>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

TEST(BatchReader, PutsTokensAndTargetsOfEachSampleInTheOrderAsked) {
  constexpr int64_t kFirstDraw = 500;
  for (const TargetForm form :
       {TargetForm::label, TargetForm::label_set, TargetForm::values, TargetForm::token_labels}) {
    const MemoryDataset dataset(20, 50, 4, 9, 3, form);
    std::vector<Item> items;
    Batch expected;
    for (const int64_t index : {7, 0, 19, 3}) {
      items.push_back({.position = 2 * index, .index = index, .length = dataset.length(index)});
      Example example;
      dataset.read(index, example);
      append(expected.text().tokens, example.tokens);
      for (int64_t t = 0; t < dataset.length(index); ++t) expected.text().positions.push_back(t);
      if (form == TargetForm::label) expected.labels.push_back(example.label);
      append(expected.labels, example.token_labels);
      append(expected.values, example.values);
      expected.weights.push_back(example.weight);
      expected.draws.push_back(kFirstDraw + 2 * index);
    }
    const Batch batch = BatchReader(dataset).read(items, kFirstDraw);
    EXPECT_EQ(batch.text().tokens, expected.text().tokens);
    EXPECT_EQ(batch.text().positions, expected.text().positions);
    EXPECT_EQ(batch.labels, expected.labels);
    EXPECT_EQ(batch.values, expected.values);
    EXPECT_EQ(batch.weights, expected.weights);
    EXPECT_EQ(batch.draws, expected.draws);
    EXPECT_EQ(batch.ids, (std::vector<int64_t>{7, 0, 19, 3}));
  }
}

}  // namespace
}  // namespace sft
