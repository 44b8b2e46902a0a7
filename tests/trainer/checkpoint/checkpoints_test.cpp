// Saving and resuming: on any number of ranks, after damage, beside other programs' directories.
#include "trainer/checkpoint/checkpoints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/errors.h"
#include "base/temporary_directory.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class CheckpointsTest : public testing::Test {
 protected:
  // Saves the training as it stands after `step` updates, and prunes as a trainer would.
  void save(int64_t step, int world = 1, const std::string& best = "") {
    spawn_ranks(world, [&](Communicator& control) {
      Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
      EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
      checkpoints.prune(best);
    });
  }

  // The step that `world` ranks resume from, −1 for none; every byte of every rank is compared with what was saved.
  int64_t resume(int world = 1) {
    int64_t step = -1;
    spawn_ranks(world, [&](Communicator& control) {
      Checkpoints checkpoints(run_.path(), config_, control, real_files());
      const auto found = checkpoints.find_latest();
      if (!found) return;
      SampleTraining training(found->step);
      const auto expected = training.bytes();
      training.clear();
      checkpoints.load(*found, training.content().model, training.content().optimizer);
      EXPECT_EQ(training.bytes(), expected);
      EXPECT_EQ(found->state, training.content().state);
      EXPECT_EQ(found->settings, training.content().settings);
      if (control.rank() == 0) step = found->step;
    });
    return step;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(run_.path())) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  bool has(const std::string& name) const { return fs::exists(run_.path(name)); }
  int64_t count(const std::string& part) const {
    return std::ranges::count_if(names(), [&](const std::string& name) { return name.find(part) != name.npos; });
  }

  template <class Action>
  ExitCode code_of(Action action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::done;
  }

  TemporaryDirectory run_;
  SaveConfig config_;
};

class Reshard : public CheckpointsTest, public testing::WithParamInterface<std::tuple<int, int>> {};

TEST_P(Reshard, GivesEveryRankTheSameBytes) {
  const auto [writers, readers] = GetParam();
  save(7, writers);
  EXPECT_EQ(resume(readers), 7);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Reshard, testing::Combine(testing::Range(1, 5), testing::Range(1, 5)));

TEST_F(CheckpointsTest, StartAnewWhereThereIsNone) { EXPECT_EQ(resume(2), -1); }

TEST_F(CheckpointsTest, LeaveNothingButTheCheckpointAndItsName) {
  save(7, 3);
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-7", "latest"}));
  EXPECT_EQ(read_file(run_.path("latest")), "checkpoint-7\n");
  EXPECT_EQ(read_file(run_.path("checkpoint-7/config.json")), SampleTraining(7).content().files[0].second);
}

TEST_F(CheckpointsTest, ResumeFromTheNewestByNumberNotByName) {
  config_.save_total_limit = 0;
  spawn_ranks(1, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
    for (const int64_t step : {9, 100, 20}) EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
  });
  EXPECT_EQ(resume(), 100);
}

TEST_F(CheckpointsTest, ResumeTheRunThatSavedLastAndNotALaterStepOfAnother) {
  config_.save_total_limit = 0;
  for (const int64_t step : {15, 7}) save(step);  // each of these is a run of its own
  EXPECT_EQ(resume(2), 7);
  fs::resize_file(run_.path("checkpoint-7/config.json"), 1);
  EXPECT_EQ(resume(2), 15) << "a broken one is none to go on from";
}

TEST_F(CheckpointsTest, ResumeTheSameRunAgainWhereTheOneItSavedLastIsBroken) {
  config_.save_total_limit = 0;
  save(30);  // a run of its own
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
    for (const int64_t step : {10, 20}) EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
  });
  fs::resize_file(run_.path("checkpoint-20/config.json"), 1);
  for (const int ranks : {2, 1}) EXPECT_EQ(resume(ranks), 10) << "nothing was saved between the two";
}

TEST_F(CheckpointsTest, KeepWhatWasSavedAfterGoingBackAndResumeFromIt) {
  config_.save_total_limit = 3;
  for (const int ranks : {1, 2}) {
    spawn_ranks(ranks, [&](Communicator& control) {
      Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
      for (const int64_t step : {10, 20, 30}) EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
      Checkpoints back(run_.path(), config_, control, real_files(), kSmallCuts);
      EXPECT_EQ(back.open_to_go_on(run_.path("checkpoint-10")).step, 10);
      EXPECT_TRUE(back.save(SampleTraining(16).content()));
      back.prune("");
    });
    EXPECT_EQ(names(),
              (std::vector<std::string>{"checkpoint-10", "checkpoint-16", "checkpoint-20", "checkpoint-30", "latest"}));
    EXPECT_EQ(resume(ranks), 16);
    fs::remove_all(run_.path());
    fs::create_directories(run_.path());
  }
}

TEST_F(CheckpointsTest, GoOnAsTheSameRunWhereNothingLaterIsGivenUp) {
  config_.save_total_limit = 1;
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
    EXPECT_TRUE(checkpoints.save(SampleTraining(10).content()));
    EXPECT_EQ(checkpoints.state_of("checkpoint-10"), SampleTraining(10).content().state);
    for (const char* none : {"checkpoint-5", ""}) EXPECT_TRUE(checkpoints.state_of(none).is_null());
    Checkpoints next(run_.path(), config_, control, real_files(), kSmallCuts);
    next.open_to_go_on(run_.path("checkpoint-10"));
    EXPECT_TRUE(next.save(SampleTraining(16).content()));
    next.prune("");
  });
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-16", "latest"}));
}

TEST_F(CheckpointsTest, NeverRemoveTheOneThatWasSavedLast) {
  config_.save_total_limit = 1;
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
    for (const int64_t step : {30, 16}) EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
    checkpoints.prune("");
  });
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-16", "checkpoint-30", "latest"}));
}

// Every file of a checkpoint, each with one bit flipped, cut by one byte, and gone.
TEST_F(CheckpointsTest, SetABrokenOneAsideAndUseTheOneBefore) {
  const auto flip = [](const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 4));
  };
  const auto cut = [](const std::string& path) { fs::resize_file(path, fs::file_size(path) - 1); };
  const auto lose = [](const std::string& path) { fs::remove(path); };
  save(6, 2);
  save(7, 3);
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(run_.path("checkpoint-7")))
    files.push_back(entry.path().filename().string());
  ASSERT_GE(files.size(), 8u);

  for (const auto& damage : std::vector<std::function<void(const std::string&)>>{flip, cut, lose})
    for (const std::string& file : files) {
      damage(run_.path("checkpoint-7/" + file));
      EXPECT_EQ(resume(2), 6) << file;
      EXPECT_FALSE(has("checkpoint-7") && has("checkpoint-7/manifest.json")) << file;
      fs::remove_all(run_.path("checkpoint-7"));
      for (const std::string& name : names())
        if (name.find(".corrupt-") != name.npos) fs::remove_all(run_.path(name));
      save(7, 3);
    }
}

TEST_F(CheckpointsTest, NeverStartAnewInSilenceWhenAllAreBroken) {
  save(6);
  save(7);
  for (const char* name : {"checkpoint-6", "checkpoint-7"})
    fs::resize_file(run_.path(name) + "/model.safetensors", 100);
  EXPECT_EQ(code_of([&] { resume(2); }), ExitCode::bad_content);
  EXPECT_EQ(count(".corrupt-"), 2);
  EXPECT_EQ(code_of([&] { resume(2); }), ExitCode::bad_content) << "the second start must say so too";
}

TEST_F(CheckpointsTest, LeaveDirectoriesOfOtherProgramsAlone) {
  fs::create_directories(run_.path("checkpoint-900"));
  std::ofstream(run_.path("checkpoint-900/pytorch_model.bin")) << "weights";
  save(7);
  EXPECT_EQ(resume(2), 7);
  save(900);
  EXPECT_EQ(resume(), 900);
  EXPECT_EQ(count("checkpoint-900.replaced-"), 1);
}

TEST_F(CheckpointsTest, CollectWhatADeadRunLeft) {
  fs::create_directories(run_.path(".tmp-checkpoint-8.0123456789abcdef"));
  fs::create_directories(run_.path(".trash-checkpoint-1.0123456789abcdef"));
  save(7);
  fs::rename(run_.path("checkpoint-7"), run_.path("checkpoint-7.replaced-20260101T000000Z"));
  EXPECT_EQ(resume(), 7) << "moved aside for one that never came";
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-7", "latest"}));
}

TEST_F(CheckpointsTest, LeaveAloneTheManifestOfAnotherProgram) {
  save(7);
  fs::create_directories(run_.path("checkpoint-900"));
  std::ofstream(run_.path("checkpoint-900/manifest.json")) << R"({"some": "tool"})";
  EXPECT_EQ(resume(), 7);
  EXPECT_TRUE(fs::exists(run_.path("checkpoint-900/manifest.json")));
}

TEST_F(CheckpointsTest, LeaveAloneWhatAlmostBearsTheNameOfALeftover) {
  const std::vector<std::string> mine = {
      ".tmp-checkpoint-8", ".tmp-checkpoint-8.mine",   ".tmp-mine", ".trash-0123456789abcdef", ".trash-mine",
      "latest.tmp.mine",   ".trash-x.0123456789abcdef"};
  for (const std::string& name : mine) fs::create_directories(run_.path(name));
  std::ofstream(run_.path("latest.tmp.notes")) << "mine";
  std::ofstream(run_.path("latest.tmp.1.2")) << "checkpoi";
  save(7);
  EXPECT_EQ(resume(), 7);
  for (const std::string& name : mine) EXPECT_TRUE(fs::exists(run_.path(name))) << name;
  EXPECT_TRUE(fs::exists(run_.path("latest.tmp.notes")));
  EXPECT_FALSE(fs::exists(run_.path("latest.tmp.1.2")));
}

TEST_F(CheckpointsTest, KeepTheNewestAndTheBest) {
  config_.save_total_limit = 2;
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
    for (int64_t step = 1; step <= 5; ++step) {
      EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
      checkpoints.prune(run_.path("checkpoint-2/"));
    }
  });
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-2", "checkpoint-4", "checkpoint-5", "latest"}));
}

TEST_F(CheckpointsTest, NeverRemoveOrCountThoseOfOtherRunsAndPrograms) {
  config_.save_total_limit = 1;
  fs::create_directories(run_.path("checkpoint-1"));
  std::ofstream(run_.path("checkpoint-1/manifest.json")) << R"({"some": "tool"})";
  save(8);  // each of these is a run of its own
  save(3);
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-1", "checkpoint-3", "checkpoint-8", "latest"}));
}

TEST_F(CheckpointsTest, WriteTheSameStepTwiceOnlyIfItsStateChanged) {
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files());
    SampleTraining training(7);
    ASSERT_TRUE(checkpoints.save(training.content()));
    const auto written = fs::last_write_time(run_.path("checkpoint-7/manifest.json"));
    control.barrier();
    ASSERT_TRUE(checkpoints.save(training.content()));
    EXPECT_EQ(fs::last_write_time(run_.path("checkpoint-7/manifest.json")), written);
    control.barrier();
    training.content().state["best_metric"] = 0.9;
    ASSERT_TRUE(checkpoints.save(training.content()));
    EXPECT_EQ(checkpoints.find_latest()->state, training.content().state);
  });
  EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-7", "latest"}));
}

TEST_F(CheckpointsTest, WithoutOptimizerStateGiveWeightsButNoResumption) {
  config_.save_only_model = true;
  save(7, 2);
  EXPECT_FALSE(has("checkpoint-7/optimizer-00001-of-00001.safetensors"));
  EXPECT_EQ(code_of([&] { resume(); }), ExitCode::config);
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files());
    const FoundCheckpoint found = checkpoints.open(run_.path("checkpoint-7/"));
    SampleTraining training(7);
    const auto expected = training.bytes();
    std::vector<TensorRef> none;
    for (TensorRef& tensor : training.content().model) std::fill_n(static_cast<char*>(tensor.data), tensor.bytes, 0);
    checkpoints.load(found, training.content().model, none);
    EXPECT_EQ(training.bytes(), expected);
  });
}

TEST_F(CheckpointsTest, RefuseTensorsThatAreNotAsSaved) {
  save(7, 2);
  const auto load_with = [&](auto change) {
    return code_of([&] {
      spawn_ranks(2, [&](Communicator& control) {
        Checkpoints checkpoints(run_.path(), config_, control, real_files());
        SampleTraining training(7);
        change(training.content());
        checkpoints.load(checkpoints.open(run_.path("checkpoint-7")), training.content().model,
                         training.content().optimizer);
      });
    });
  };
  EXPECT_EQ(load_with([](CheckpointContent&) {}), ExitCode::done);
  EXPECT_EQ(load_with([](CheckpointContent& content) { content.model[0].name = "other"; }), ExitCode::bad_content);
  EXPECT_EQ(load_with([](CheckpointContent& content) { content.model[0].dtype = "I32"; }), ExitCode::bad_content);
  EXPECT_EQ(load_with([](CheckpointContent& content) { content.optimizer[0].bytes -= 4; }), ExitCode::bad_content);
}

TEST_F(CheckpointsTest, OpenWhatIsNamedOrSayWhy) {
  save(7);
  fs::create_directories(run_.path("checkpoint-8"));
  const auto open = [&](const std::string& name) {
    return code_of([&] {
      spawn_ranks(2, [&](Communicator& control) {
        Checkpoints(run_.path(), config_, control, real_files()).open(run_.path(name));
      });
    });
  };
  EXPECT_EQ(open("checkpoint-7"), ExitCode::done);
  EXPECT_EQ(open("checkpoint-8"), ExitCode::config);
  EXPECT_EQ(open("checkpoint-9"), ExitCode::config);
  fs::resize_file(run_.path("checkpoint-7/vocab.txt"), 1);
  EXPECT_EQ(open("checkpoint-7"), ExitCode::bad_content);
}

TEST_F(CheckpointsTest, NeverHoldWeightsThatAreNotFinite) {
  save(7);
  for (const int world : {1, 3}) {
    spawn_ranks(world, [&](Communicator& control) {
      SampleTraining training(9);
      static_cast<float*>(training.content().model.front().data)[17] = NAN;
      Checkpoints checkpoints(run_.path(), config_, control, real_files(), kSmallCuts);
      EXPECT_EQ(code_of([&] { checkpoints.save(training.content()); }), ExitCode::not_finite);
    });
    EXPECT_EQ(names(), (std::vector<std::string>{"checkpoint-7", "latest"})) << world;
  }
}

TEST_F(CheckpointsTest, RefuseRanksThatHoldDifferentTensors) {
  EXPECT_EQ(code_of([&] {
              spawn_ranks(3, [&](Communicator& control) {
                SampleTraining training(7, control.rank() == 2 ? 2 : 1);
                Checkpoints(run_.path(), config_, control, real_files()).save(training.content());
              });
            }),
            ExitCode::internal);
  EXPECT_TRUE(names().empty());
}

TEST_F(CheckpointsTest, BeginNoneOnceAnotherJobHasTheDirectory) {
  const RunLock lock(run_.path());
  std::ofstream(run_.path(".lock.99")) << R"({"host": "elsewhere", "pid": 1, "job": "", "since": "now"})";
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run_.path(), config_, control, real_files());
    checkpoints.guard_with(control.rank() == 0 ? &lock : nullptr);
    EXPECT_EQ(code_of([&] { checkpoints.save(SampleTraining(7).content()); }), ExitCode::run_locked);
  });
  EXPECT_EQ(count("checkpoint-"), 0);
}

}  // namespace
}  // namespace sft
