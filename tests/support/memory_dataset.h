// Samples in memory, for tests of what stands above the data floor: ragged lengths, ids and targets drawn
// from a seed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "data/samples/dataset.h"
#include "support/texts.h"

namespace sft {

class MemoryDataset final : public Dataset {
 public:
  // `target`: a column of labels or values, of which a sample gets so many.
  MemoryDataset(int64_t size, int64_t vocab_size, int64_t num_labels, int64_t longest, uint64_t seed,
                const Column& target = label_column(0))
      : MemoryDataset(text_schema(of_labels(target, num_labels), vocab_size), seed) {
    for (int64_t i = 0; i < size; ++i) {
      const auto bits = [&](const char* what, uint64_t index) {
        return derive_key(seed, what, static_cast<uint64_t>(i) * 1000 + index);
      };
      Text text;
      const auto length = 2 + static_cast<int64_t>(bits("length", 0) % static_cast<uint64_t>(longest - 1));
      for (int64_t t = 0; t < length; ++t)
        text.tokens.push_back(
            static_cast<int32_t>(bits("token", static_cast<uint64_t>(t)) % static_cast<uint64_t>(vocab_size)));
      const auto label = [&](uint64_t drawn) { return drawn % static_cast<uint64_t>(num_labels); };
      if (target.number == Number::int64) text.label = static_cast<int64_t>(label(bits("label", 0)));
      for (int64_t k = 0; target.number == Number::float32 && k < num_labels; ++k) {
        const uint64_t drawn = bits("label", static_cast<uint64_t>(k));
        const bool is_flag = target.bound == 2;
        text.values.push_back(is_flag ? static_cast<float>(drawn % 3 == 0)
                                      : static_cast<float>(drawn % 2001) / 500.0f - 2.0f);
      }
      for (int64_t t = 0; target.number == Number::int32 && t < length; ++t) {  // about a fifth of the tokens have none
        const uint64_t drawn = bits("label", static_cast<uint64_t>(t));
        text.token_labels.push_back(drawn % 5 == 0 ? kNoTarget : static_cast<int32_t>(label(drawn / 5)));
      }
      text.weight = 0.5f + static_cast<float>(bits("weight", 0) % 100) / 100.0f;
      add(sample_of(schema(), text), i);
    }
    info_.max_length = longest;
  }

  // Images of `side` × `side`, RGB, a little brighter with the label.
  static MemoryDataset of_images(int64_t size, int64_t side, int64_t num_labels, uint64_t seed) {
    const MemoryDataset labels(size, 2, num_labels, 2, seed);
    MemoryDataset made(
        {.columns = {{.name = "pixels", .number = Number::uint8, .shape = {side, side, 3}}, label_column(num_labels)}},
        seed);
    for (int64_t i = 0; i < size; ++i) {
      Sample sample(made.schema());
      const Text drawn = text_of(labels, i);
      std::vector<uint8_t> pixels;
      for (int64_t p = 0; p < side * side * 3; ++p)
        pixels.push_back(static_cast<uint8_t>(
            derive_key(seed, "pixel", static_cast<uint64_t>(i) * 10000 + static_cast<uint64_t>(p)) % 200 +
            static_cast<uint64_t>(drawn.label * 10)));
      sample.cells[0].set(pixels);
      sample.cells[1].set(drawn.label);
      sample.weight = drawn.weight;
      made.add(sample, i);
    }
    made.info_.max_length = 1;
    return made;
  }

  // The same with a class for each pixel, likewise brighter with it; every seventh pixel has none.
  static MemoryDataset of_masks(int64_t size, int64_t side, int64_t num_labels, uint64_t seed) {
    MemoryDataset made(
        {.columns = {{.name = "pixels", .number = Number::uint8, .shape = {side, side, 3}},
                     {.name = "mask", .number = Number::uint8, .shape = {side, side}, .role = Role::target}}},
        seed);
    for (int64_t i = 0; i < size; ++i) {
      Sample sample(made.schema());
      std::vector<uint8_t> pixels, mask;
      for (int64_t p = 0; p < side * side; ++p) {
        const uint64_t bits = derive_key(seed, "mask", static_cast<uint64_t>(i * side * side + p));
        const uint64_t label = (bits >> 8) % static_cast<uint64_t>(num_labels);
        mask.push_back(bits % 7 == 0 ? uint8_t{255} : static_cast<uint8_t>(label));
        for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<uint8_t>((bits >> (16 + 8 * c)) % 200 + label * 10));
      }
      sample.cells[0].set(pixels);
      sample.cells[1].set(mask);
      made.add(sample, i);
    }
    made.info_.max_length = 1;
    return made;
  }

  // Samples of a schema, each made of the row that it says, of so many.
  MemoryDataset(const Schema& schema, const std::vector<Sample>& samples, int64_t num_rows) : MemoryDataset(schema, 0) {
    for (const Sample& sample : samples) add(sample, sample.row);
    info_.num_rows = num_rows;
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    Batch one(schema());
    append(i, one);
    return one.num_units();
  }
  void append(int64_t i, Batch& out) const override { out.append(samples_[static_cast<size_t>(i)]); }
  void append(int64_t i, size_t column, Packed& out) const override {
    out.append(samples_[static_cast<size_t>(i)].cells[column]);
  }
  float weight(int64_t i) const override { return samples_[static_cast<size_t>(i)].weight; }
  int64_t row(int64_t i) const override { return samples_[static_cast<size_t>(i)].row; }
  int64_t bytes_read() const override { return 0; }

 private:
  MemoryDataset(const Schema& schema, uint64_t seed) {
    info_.name = "'memory'";
    info_.schema = schema;
    info_.has_weights = true;
    info_.fingerprint = std::to_string(seed);
  }
  void add(Sample sample, int64_t row) {
    sample.row = row;
    samples_.push_back(std::move(sample));
    ++info_.num_samples;
    info_.num_rows = row + 1;
    info_.max_length = std::max(info_.max_length, length(info_.num_samples - 1));
  }
  static Column of_labels(Column target, int64_t num_labels) {
    (target.shape.empty() ? target.bound : target.shape[0]) = num_labels;
    return target;
  }

  DatasetInfo info_;
  std::vector<Sample> samples_;
};

}  // namespace sft
