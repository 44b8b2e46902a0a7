// Texts by what they hold, and as the columns that shards and batches have.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "data/samples/dataset.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {

// One sample; what its schema lacks is empty.
struct Text {
  std::vector<int32_t> tokens = {};
  std::vector<uint8_t> segments = {};
  int64_t label = 0;
  std::vector<float> values = {};
  std::vector<int32_t> token_labels = {};
  float weight = 1.0f;
  bool operator==(const Text&) const = default;
};

// Tokens, a target and, where it is said, segments.
inline Schema text_schema(const Column& target, int64_t vocab_size = 0, bool segments = false) {
  Schema schema{.columns = {{.name = "tokens", .number = Number::int32, .axis = "token", .bound = vocab_size}, target},
                .units = {"token"}};
  if (segments) schema.columns.push_back({.name = "segments", .number = Number::uint8, .axis = "token"});
  return schema;
}

inline Sample sample_of(const Schema& schema, const Text& text) {
  Sample sample(schema);
  sample.cells[0].set(text.tokens);
  const Column& target = schema.columns[1];
  if (target.number == Number::int64) sample.cells[1].set(text.label);
  if (target.number == Number::int32) sample.cells[1].set(text.token_labels);
  if (target.number == Number::float32) sample.cells[1].set(text.values);
  if (schema.columns.size() > 2) {
    std::vector<uint8_t> segments = text.segments;
    segments.resize(text.tokens.size());
    sample.cells[2].set(segments);
  }
  sample.weight = text.weight;
  return sample;
}

template <class T>
std::vector<T> list_of(const Packed& cell) {
  const std::span<const T> numbers = cell.as<T>();
  return {numbers.begin(), numbers.end()};
}

// Sample i, read as a batch of one.
inline Text text_of(const Dataset& dataset, int64_t i) {
  Batch one(dataset.schema());
  dataset.append(i, one);
  Text text{.tokens = list_of<int32_t>(one.columns[0]), .weight = one.weights[0]};
  const Packed& target = one.columns[1];
  if (target.number() == Number::int64) text.label = target.as<int64_t>()[0];
  if (target.number() == Number::int32) text.token_labels = list_of<int32_t>(target);
  if (target.number() == Number::float32) text.values = list_of<float>(target);
  if (one.columns.size() > 2) text.segments = list_of<uint8_t>(one.columns[2]);
  return text;
}

// Samples one after the other, each with its place as its row, id and draw.
inline Batch batch_of(const Schema& schema, std::vector<Sample> samples) {
  Batch batch(schema);
  for (Sample& sample : samples) {
    batch.ids.push_back(batch.size());
    batch.draws.push_back(batch.size());
    sample.row = batch.size();
    batch.append(sample);
  }
  return batch;
}

inline Batch batch_of(const Schema& schema, const std::vector<Text>& texts) {
  std::vector<Sample> samples;
  for (const Text& text : texts) samples.push_back(sample_of(schema, text));
  return batch_of(schema, std::move(samples));
}

}  // namespace sft
