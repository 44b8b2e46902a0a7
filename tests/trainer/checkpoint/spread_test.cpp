// Optimizer buffers that are spread over ranks: written by who has them, read by who wants them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/temporary_directory.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

// The training's optimizer buffers as rank `rank` of `world` has them: pieces of 128 bytes, dealt in turn; 0 ranks: all
// of them, on every rank.
class Spread {
 public:
  Spread(const std::vector<TensorRef>& whole, int rank, int world) : refs_(whole) {
    if (world == 0) return;
    for (TensorRef& tensor : refs_) {
      tensor.is_spread = true;
      constexpr int64_t kPiece = 128;
      for (int64_t piece = rank; piece * kPiece < tensor.bytes; piece += world)
        tensor.runs.push_back({piece * kPiece, std::min(kPiece, tensor.bytes - piece * kPiece)});
      auto& memory = memory_.emplace_back();
      for (const ByteRun& run : tensor.runs) {
        const auto* from = static_cast<const std::byte*>(tensor.data) + run.offset;
        memory.insert(memory.end(), from, from + run.bytes);
      }
      tensor.data = memory.data();
    }
  }

  std::vector<TensorRef>& refs() { return refs_; }
  void clear() {
    for (auto& bytes : memory_) std::ranges::fill(bytes, std::byte{0});
  }
  bool operator==(const Spread& other) const { return memory_ == other.memory_; }

 private:
  std::vector<TensorRef> refs_;
  std::deque<std::vector<std::byte>> memory_;
};

class SpreadCheckpoints : public testing::Test {
 protected:
  void save(int ranks, bool spread) {
    spawn_ranks(ranks, [&](Communicator& control) {
      SampleTraining training(7);
      Spread mine(training.content().optimizer, control.rank(), spread ? ranks : 0);
      training.content().optimizer = mine.refs();
      Checkpoints checkpoints(run_.path(), {}, control, real_files(), kSmallCuts);
      EXPECT_TRUE(checkpoints.save(training.content()));
    });
  }

  void expect_resumed(int ranks, bool spread) {
    spawn_ranks(ranks, [&](Communicator& control) {
      Checkpoints checkpoints(run_.path(), {}, control, real_files());
      const auto found = checkpoints.find_latest();
      ASSERT_TRUE(found);
      SampleTraining training(7);
      const auto expected = training.bytes();
      Spread mine(training.content().optimizer, control.rank(), spread ? ranks : 0);
      const Spread wanted(training.content().optimizer, control.rank(), spread ? ranks : 0);
      training.clear();
      mine.clear();
      checkpoints.load(*found, training.content().model, mine.refs());
      EXPECT_EQ(mine, wanted) << ranks;
      if (!spread) {
        EXPECT_EQ(training.bytes(), expected) << ranks;
      }
    });
  }

  Manifest manifest() const {
    const std::string path = run_.path("checkpoint-7/manifest.json");
    return parse_manifest(read_file(path), path);
  }

  TemporaryDirectory run_;
};

TEST_F(SpreadCheckpoints, AreReadByAnyWorldWhoeverWroteThem) {
  for (const auto& [writers, spread] : {std::pair{4, true}, {2, true}, {1, true}, {3, false}}) {
    SCOPED_TRACE(writers);
    std::filesystem::remove_all(run_.path("checkpoint-7"));
    save(writers, spread);
    for (const int readers : {1, 2, 3, 4})
      for (const bool reads_runs : {true, false}) expect_resumed(readers, reads_runs);
  }
}

TEST_F(SpreadCheckpoints, AreWrittenByThoseWhoHaveThem) {
  save(3, true);
  const Manifest found = manifest();
  for (const TensorEntry& tensor : found.optimizer)
    for (const FileSlice& slice : tensor.slices) {
      const int64_t piece = slice.offset / 128;
      EXPECT_EQ(slice.file, "optimizer-0000" + std::to_string(piece % 3 + 1) + "-of-00003.safetensors") << tensor.name;
      EXPECT_EQ(slice.start, piece / 3 * 128) << tensor.name;
    }
}

// A program of before reads what one rank has written, and what was not spread.
TEST_F(SpreadCheckpoints, AskForANewFormatOnlyWhereThereAreSeveralRunsAFile) {
  const auto version = [&] {
    const std::string text = read_file(run_.path("checkpoint-7/manifest.json"));
    return nlohmann::json::parse(text)["version"].get<int>();
  };
  save(3, true);
  EXPECT_EQ(version(), 2);
  std::filesystem::remove_all(run_.path("checkpoint-7"));
  save(3, false);
  EXPECT_EQ(version(), 1);
}

// A manifest whose slices of a file overlap would read some bytes twice and others never.
TEST_F(SpreadCheckpoints, AreRefusedWhereSlicesOfAFileOverlap) {
  save(2, true);
  Manifest altered = manifest();
  for (TensorEntry& tensor : altered.optimizer)
    for (FileSlice& slice : tensor.slices) slice.start = 0;
  std::ofstream(run_.path("checkpoint-7/manifest.json")) << to_text(altered);
  spawn_ranks(1, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), {}, control, real_files());
    SampleTraining training(7);
    Spread mine(training.content().optimizer, 0, 0);
    try {
      checkpoints.load(*checkpoints.find_latest(), training.content().model, mine.refs());
      ADD_FAILURE() << "loaded";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("is not as the manifest says"), std::string::npos) << error.what();
    }
  });
}

TEST_F(SpreadCheckpoints, AreRefusedWhereRanksDoNotHaveEachByteOnce) {
  try {
    spawn_ranks(2, [&](Communicator& control) {
      SampleTraining training(7);
      Spread mine(training.content().optimizer, 0, 2);  // both have what is rank 0's
      training.content().optimizer = mine.refs();
      Checkpoints(run_.path(), {}, control, real_files(), kSmallCuts).save(training.content());
    });
    FAIL() << "saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_NE(std::string(error.what()).find("'exp_avg'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sft
