// What a batch holds of its samples, column by column: each where its sample, or its entry, stands.
#include "data/loading/batch_reader.h"

#include <gtest/gtest.h>

#include "support/memory_dataset.h"

namespace sft {
namespace {

constexpr int64_t kFirstDraw = 500;

std::vector<Item> items_of(const Dataset& dataset, const std::vector<int64_t>& indices) {
  std::vector<Item> items;
  for (const int64_t index : indices)
    items.push_back({.position = 2 * index, .index = index, .length = dataset.length(index)});
  return items;
}

TEST(BatchReader, PutsTokensAndTargetsOfEachSampleInTheOrderAsked) {
  for (const Column& target : {label_column(0), label_set_column(0), values_column(0), token_labels_column(0)}) {
    const MemoryDataset dataset(20, 50, 4, 9, 3, target);
    std::vector<int32_t> tokens;
    Packed targets(dataset.schema().columns[1].number);
    std::vector<int64_t> draws;
    std::vector<float> weights;
    Offsets offsets{0};
    for (const int64_t index : {7, 0, 19, 3}) {
      const Text text = text_of(dataset, index);
      tokens.insert(tokens.end(), text.tokens.begin(), text.tokens.end());
      targets.append(sample_of(dataset.schema(), text).cells[1]);
      offsets.push_back(static_cast<int64_t>(tokens.size()));
      weights.push_back(text.weight);
      draws.push_back(kFirstDraw + 2 * index);
    }
    const Batch batch = BatchReader(dataset).read(items_of(dataset, {7, 0, 19, 3}), kFirstDraw);
    EXPECT_EQ(batch.at("tokens"), Packed::of(tokens));
    EXPECT_EQ(batch.columns[1], targets);
    EXPECT_EQ(batch.offsets("token"), offsets);
    EXPECT_EQ(batch.weights, weights);
    EXPECT_EQ(batch.draws, draws);
    EXPECT_EQ(batch.ids, (std::vector<int64_t>{7, 0, 19, 3}));
    EXPECT_EQ(batch.rows, batch.ids);
    EXPECT_EQ(batch.num_units(), offsets.back());
  }
}

// Boxes of four numbers along an axis that may be empty, beside two streams of ids that budgets count together.
TEST(BatchReader, KeepsTheOffsetsOfThreeRaggedAxesApart) {
  const Schema schema{.columns = {{.name = "source", .number = Number::int32, .axis = "source"},
                                  {.name = "target", .number = Number::int32, .axis = "target", .role = Role::target},
                                  {.name = "boxes", .number = Number::float32, .shape = {2}, .axis = "box"},
                                  {.name = "classes", .axis = "box", .role = Role::target}},
                      .units = {"source", "target"}};
  std::vector<Sample> samples(3, Sample(schema));
  const std::vector<std::vector<int32_t>> sources = {{1, 2, 3}, {4}, {5, 6}}, targets = {{7}, {8, 9}, {10, 11, 12}};
  const std::vector<std::vector<float>> boxes = {{0.5f, 1}, {}, {2, 3, 4, 5}};
  const std::vector<std::vector<int64_t>> classes = {{1}, {}, {0, 2}};
  for (size_t i = 0; i < 3; ++i) {
    samples[i].cells[0].set(sources[i]);
    samples[i].cells[1].set(targets[i]);
    samples[i].cells[2].set(boxes[i]);
    samples[i].cells[3].set(classes[i]);
  }
  const MemoryDataset dataset(schema, samples, 1);
  EXPECT_EQ(dataset.length(0), 4) << "the sum of both streams";
  const Batch batch = BatchReader(dataset).read(items_of(dataset, {2, 1, 0}), 0);
  EXPECT_EQ(batch.at("source"), Packed::of<int32_t>({5, 6, 4, 1, 2, 3}));
  EXPECT_EQ(batch.offsets("source"), (Offsets{0, 2, 3, 6}));
  EXPECT_EQ(batch.at("target"), Packed::of<int32_t>({10, 11, 12, 8, 9, 7}));
  EXPECT_EQ(batch.offsets("target"), (Offsets{0, 3, 5, 6}));
  EXPECT_EQ(batch.at("boxes"), Packed::of<float>({2, 3, 4, 5, 0.5f, 1}));
  EXPECT_EQ(batch.at("classes"), Packed::of<int64_t>({0, 2, 1}));
  EXPECT_EQ(batch.offsets("box"), (Offsets{0, 2, 2, 3}));
  EXPECT_EQ(batch.num_units(), 12);
}

// A picture and its mask: of each pixel, the mask says the same after the augmentation as before.
TEST(BatchReader, TurnsAMaskWithItsPicture) {
  constexpr int64_t kSide = 6;
  const Schema schema{.columns = {{.name = "pixels", .number = Number::uint8, .shape = {kSide, kSide, 3}},
                                  {.name = "mask", .number = Number::uint8, .shape = {kSide, kSide}}}};
  Sample sample(schema);
  std::vector<uint8_t> pixels, mask;
  for (uint8_t p = 0; p < kSide * kSide; ++p) {
    mask.push_back(static_cast<uint8_t>(p + 1));
    for (int c = 0; c < 3; ++c) pixels.push_back(static_cast<uint8_t>(3 * (p + 1) + c));
  }
  sample.cells[0].set(pixels);
  sample.cells[1].set(mask);
  const MemoryDataset dataset(schema, std::vector<Sample>(40, sample), 1);
  std::vector<int64_t> all(40);
  for (int64_t i = 0; i < 40; ++i) all[static_cast<size_t>(i)] = i;
  const Batch batch = BatchReader(dataset, {.padding = 2, .flip = true, .seed = 3}).read(items_of(dataset, all), 0);
  const auto seen = batch.at("pixels").as<uint8_t>(), masked = batch.at("mask").as<uint8_t>();
  EXPECT_NE(batch.at("mask"), BatchReader(dataset).read(items_of(dataset, all), 0).at("mask"));
  constexpr uint8_t kNoClass = 255;  // beside the picture, which is 0 there
  for (size_t p = 0; p < masked.size(); ++p) ASSERT_EQ(seen[3 * p], masked[p] == kNoClass ? 0 : 3 * masked[p]) << p;
}

}  // namespace
}  // namespace sft
