// The sharing out of a checkpoint among ranks.
#include "trainer/checkpoint/slices.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

std::vector<int64_t> bytes_by_rank(const std::vector<FilePlan>& plan, int world) {
  std::vector<int64_t> bytes(static_cast<size_t>(world), 0);
  for (const FilePlan& file : plan)
    for (const Cut& cut : file.cuts) bytes[static_cast<size_t>(file.writer)] += cut.bytes;
  return bytes;
}

TEST(Slices, CoverEveryByteOnceOnAnyNumberOfRanks) {
  const SampleTraining training(1);
  for (int world = 1; world <= 9; ++world) {
    std::map<std::pair<bool, size_t>, int64_t> covered;
    for (const FilePlan& file : plan_files(training.content().model, training.content().optimizer, world, kSmallCuts))
      for (const Cut& cut : file.cuts) {
        auto& position = covered[{file.is_model, cut.tensor}];
        EXPECT_EQ(cut.offset, position);
        position += cut.bytes;
      }
    for (const bool is_model : {true, false}) {
      const auto& tensors = is_model ? training.content().model : training.content().optimizer;
      for (size_t k = 0; k < tensors.size(); ++k) EXPECT_EQ((covered[{is_model, k}]), tensors[k].bytes) << world;
    }
  }
}

TEST(Slices, LeaveModelTensorsWhole) {
  const SampleTraining training(1);
  for (const FilePlan& file : plan_files(training.content().model, {}, 4, kSmallCuts))
    for (const Cut& cut : file.cuts) EXPECT_EQ(cut.bytes, training.content().model[cut.tensor].bytes);
}

TEST(Slices, KeepASmallModelInOneFile) {
  const SampleTraining training(1);
  const auto plan = plan_files(training.content().model, training.content().optimizer, 8, CutSizes{});
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[0].name, "model.safetensors");
  EXPECT_EQ(plan[1].name, "optimizer-00001-of-00001.safetensors");
  EXPECT_NE(plan[1].writer, plan[0].writer);
}

TEST(Slices, GiveEveryRankAboutTheSameBytes) {
  const std::vector<TensorRef> model = {{"m", "F32", {1 << 18}, nullptr, 1 << 20}};
  const std::vector<TensorRef> optimizer = {{"exp_avg", "F32", {1 << 18}, nullptr, 1 << 20},
                                            {"exp_avg_sq", "F32", {1 << 18}, nullptr, 1 << 20}};
  for (int world = 2; world <= 3; ++world)
    for (const int64_t bytes :
         bytes_by_rank(plan_files(model, optimizer, world, {.optimizer_slice_bytes = 1 << 10}), world))
      EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(3 << 20) / world, 256) << world;
  // Beyond that the model's one file is the longest part, and the others share what is left.
  const auto bytes = bytes_by_rank(plan_files(model, optimizer, 5, {.optimizer_slice_bytes = 1 << 10}), 5);
  EXPECT_EQ(bytes[0], 1 << 20);
  for (size_t rank = 1; rank < 5; ++rank)
    EXPECT_NEAR(static_cast<double>(bytes[rank]), static_cast<double>(2 << 20) / 4, 256);
}

TEST(Slices, CutBetweenElements) {
  const SampleTraining training(1, 3);
  for (int world = 1; world <= 7; ++world)
    for (const FilePlan& file : plan_files({}, training.content().optimizer, world, kSmallCuts))
      for (const TensorRef& tensor : tensors_of(training.content().optimizer, file))
        EXPECT_EQ(
            std::accumulate(tensor.shape.begin(), tensor.shape.end(), bytes_of_dtype(tensor.dtype), std::multiplies()),
            tensor.bytes);
}

}  // namespace
}  // namespace sft
