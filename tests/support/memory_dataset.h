// Samples in memory, for tests of what stands above the data floor: ragged lengths, ids and targets drawn
// from a seed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "data/samples/dataset.h"

namespace sft {

class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(int64_t size, int64_t vocab_size, int64_t num_labels, int64_t longest, uint64_t seed,
                TargetForm target = TargetForm::label) {
    for (int64_t i = 0; i < size; ++i) {
      const auto bits = [&](const char* what, uint64_t index) {
        return derive_key(seed, what, static_cast<uint64_t>(i) * 1000 + index);
      };
      Example example;
      const auto length = 2 + static_cast<int64_t>(bits("length", 0) % static_cast<uint64_t>(longest - 1));
      for (int64_t t = 0; t < length; ++t)
        example.tokens.push_back(
            static_cast<int32_t>(bits("token", static_cast<uint64_t>(t)) % static_cast<uint64_t>(vocab_size)));
      for (int64_t k = 0; k < target_count(target, length, num_labels); ++k) {
        const uint64_t drawn = bits("label", static_cast<uint64_t>(k));
        if (target == TargetForm::label)
          example.label = static_cast<int64_t>(drawn % static_cast<uint64_t>(num_labels));
        if (target == TargetForm::label_set) example.values.push_back(drawn % 3 == 0 ? 1.0f : 0.0f);
        if (target == TargetForm::values) example.values.push_back(static_cast<float>(drawn % 2001) / 500.0f - 2.0f);
        if (target == TargetForm::token_labels)  // about a fifth of the tokens have none
          example.token_labels.push_back(
              drawn % 5 == 0 ? -100 : static_cast<int32_t>(drawn / 5 % static_cast<uint64_t>(num_labels)));
      }
      example.weight = 0.5f + static_cast<float>(bits("weight", 0) % 100) / 100.0f;
      examples_.push_back(std::move(example));
    }
    info_.num_samples = size;
    info_.max_length = longest;
    info_.vocab_size = vocab_size;
    info_.target = target;
    info_.num_labels = num_labels;
    info_.has_weights = true;
    info_.fingerprint = std::to_string(seed);
  }
  // Images of `side` × `side`, RGB, a little brighter with the label.
  static MemoryDataset of_images(int64_t size, int64_t side, int64_t num_labels, uint64_t seed) {
    MemoryDataset made(size, 2, num_labels, 2, seed);
    for (size_t i = 0; i < made.examples_.size(); ++i) {
      Example& example = made.examples_[i];
      example.tokens = {0};
      for (int64_t p = 0; p < side * side * 3; ++p)
        example.pixels.push_back(
            static_cast<uint8_t>(derive_key(seed, "pixel", i * 10000 + static_cast<uint64_t>(p)) % 200 +
                                 static_cast<uint64_t>(example.label * 10)));
    }
    made.info_.max_length = 1;
    made.info_.height = made.info_.width = side;
    made.info_.channels = 3;
    return made;
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    return static_cast<int64_t>(examples_[static_cast<size_t>(i)].tokens.size());
  }
  void read(int64_t i, Example& out) const override { out = examples_[static_cast<size_t>(i)]; }
  int64_t bytes_read() const override { return 0; }

 private:
  static int64_t target_count(TargetForm target, int64_t length, int64_t num_labels) {
    if (target == TargetForm::label) return 1;
    return target == TargetForm::token_labels ? length : num_labels;
  }

  DatasetInfo info_;
  std::vector<Example> examples_;
};

}  // namespace sft
