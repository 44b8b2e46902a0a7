// What a person sees.
#include "trainer/telemetry/console.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sft {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  Console::Screen screen() {
    return {[this](std::string_view text) { seen_ += text; }, [this] { return seconds_; }, [this] { return columns_; }};
  }
  static Event progress(int64_t step) {
    return {Event::Kind::train,
            step,
            600,
            {{"step", step},
             {"epoch", 0.6},
             {"loss", 0.52311},
             {"learning_rate", 4.2e-5},
             {"samples_per_second", 1234.5},
             {"tokens_per_second", 56789.4}}};
  }
  static Event evaluation(int64_t step) {
    return {Event::Kind::evaluation,
            step,
            600,
            {{"step", step},
             {"epoch", 0.6},
             {"eval_loss", 0.401234},
             {"eval_accuracy", 0.8712},
             {"eval_labels", {1, 2}},
             {"eval_runtime", 2.3},
             {"eval_samples_per_second", 100}}};
  }
  // What was seen since the last look.
  std::string look() { return std::exchange(seen_, ""); }

  std::string seen_;
  double seconds_ = 0;
  size_t columns_ = 200;
};

TEST_F(ConsoleTest, PrintsALineWithAllThatIsThere) {
  Console console(Console::Style::lines, screen());
  console.show(progress(100));
  EXPECT_EQ(look(), "step 100/600  epoch 0.60  loss 0.5231  lr 4.20e-05  1,234 samples/s  56,789 tokens/s\n");
  seconds_ = 60;
  console.show(progress(200));
  EXPECT_EQ(look(),
            "step 200/600  epoch 0.60  loss 0.5231  lr 4.20e-05  4m00s left  1,234 samples/s  56,789 tokens/s\n");
}

TEST_F(ConsoleTest, LeavesOutWhatIsAbsentAndShowsWhatIsNotFinite) {
  Console console(Console::Style::lines, screen());
  console.show({Event::Kind::train, 5, 10, {{"step", 5}, {"loss", "NaN"}, {"gemm_share", 0.625}}});
  EXPECT_EQ(look(), "step 5/10  loss NaN  62% of GEMM peak\n");
  console.show({Event::Kind::train, 6, 10, {{"step", 6}, {"sample_ids", {1, 2, 3}}}});
  EXPECT_EQ(look(), "");
}

TEST_F(ConsoleTest, PrintsSparseLinesButAlwaysTheLast) {
  Console console(Console::Style::lines, screen());
  int lines = 0;
  for (int64_t step = 1; step <= 600; ++step, seconds_ += 0.1) {
    console.show(progress(step));
    lines += look().empty() ? 0 : 1;
  }
  EXPECT_EQ(lines, 6 + 1);
}

TEST_F(ConsoleTest, NamesMetricsAsPeopleAreToReadThemAndLeavesOutThoseWithoutAName) {
  Console console(Console::Style::lines, screen(), [](const std::string& metric) {
    return metric == "accuracy" ? "" : metric == "loss" ? "loss (mean)" : metric;
  });
  console.show(evaluation(100));
  EXPECT_EQ(look(), "evaluation at step 100: loss (mean) 0.4012 (2.3s)\n");
}

TEST_F(ConsoleTest, PrintsEveryEvaluation) {
  Console console(Console::Style::lines, screen());
  console.show(evaluation(100));
  console.show(evaluation(100));
  const std::string line = "evaluation at step 100: loss 0.4012, accuracy 0.8712 (2.3s)\n";
  EXPECT_EQ(look(), line + line);
}

TEST_F(ConsoleTest, RedrawsABarThatNeverWraps) {
  for (columns_ = 10; columns_ < 140; ++columns_) {
    Console console(Console::Style::bar, screen());
    look();
    console.show(progress(300));
    const std::string bar = look();
    ASSERT_TRUE(bar.starts_with(columns_ < 40 ? "\r\033[K300/600" : "\r\033[K██████████░░░░░░░░░░ 300/600")) << bar;
    size_t columns = 0;
    for (const char byte : bar.substr(4)) columns += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    ASSERT_LT(columns, columns_) << bar;
    ASSERT_EQ(bar.find('\n'), bar.npos);
    seconds_ += 1;
    console.show(WorkDone{"validation: prepared", "pieces", 3, 64, 1});
    ASSERT_LT(std::ranges::count_if(look().substr(4), [](char byte) { return (byte & 0xC0) != 0x80; }),
              static_cast<int64_t>(columns_));
  }
}

TEST_F(ConsoleTest, PutsAnEvaluationInTheBarsPlace) {
  Console console(Console::Style::bar, screen());
  console.show(progress(300));
  look();
  console.show(evaluation(300));
  EXPECT_TRUE(look().starts_with("\r\033[Kevaluation at step 300"));
  seconds_ = 1;
  console.show(progress(600));
  look();
  console.show({Event::Kind::summary,
                600,
                600,
                {{"exit_reason", "finished"},
                 {"epoch", 3},
                 {"train_runtime", 192},
                 {"train_samples_per_second", 1532.4},
                 {"test_metrics", {{"loss", 0.5}, {"accuracy", 0.9}, {"details", {{"x", 1}}}}}}});
  EXPECT_EQ(look(), "\nfinished: 600 steps, 3.00 epochs in 3m12s (1,532 samples/s)\ntest: loss 0.5, accuracy 0.9\n");
}

TEST_F(ConsoleTest, StepsAsideForALineOfSomebodyElse) {
  Console console(Console::Style::bar, screen());
  console.show(progress(100));
  look();
  console.step_aside();
  EXPECT_EQ(look(), "\r\033[K");
  console.step_aside();
  EXPECT_EQ(look(), "");
}

TEST_F(ConsoleTest, ShowsOtherWorkInTheBarsPlaceAndGivesItBack) {
  Console console(Console::Style::bar, screen());
  console.show(progress(300));
  const std::string training = look();
  console.show(WorkDone{"evaluated", "samples", 1200, 4800, 0.05});
  EXPECT_EQ(look(), "") << "short work shows nothing";
  seconds_ = 1;
  console.show(WorkDone{"evaluated", "samples", 1200, 4800, 1});
  EXPECT_EQ(look(), "\r\033[K█████░░░░░░░░░░░░░░░ evaluated 1,200 of 4,800 samples  3.0s left");
  seconds_ = 1.05;
  console.show(WorkDone{"evaluated", "samples", 1300, 4800, 1.05});
  EXPECT_EQ(look(), "");
  seconds_ = 4;
  console.show(WorkDone{"saved", "bytes", 3 << 20, 3 << 20, 4});
  EXPECT_EQ(look(), "\r\033[K████████████████████ saved 3.0 MiB of 3.0 MiB");
  console.end_work();
  EXPECT_EQ(look(), training);
  console.end_work();
  EXPECT_EQ(look(), "");
}

TEST_F(ConsoleTest, TakesTheBarOfOtherWorkAwayWhereNothingTrains) {
  Console console(Console::Style::bar, screen());
  seconds_ = 1;
  console.show(WorkDone{"train: prepared", "pieces", 1, 4, 1});
  look();
  console.end_work();
  EXPECT_EQ(look(), "\r\033[K");
}

TEST_F(ConsoleTest, PrintsALineOfOtherWorkEveryTenSeconds) {
  Console console(Console::Style::lines, screen());
  console.show(progress(100));
  look();
  std::string seen;
  for (int64_t done = 1; done <= 25; ++done) {
    seconds_ = static_cast<double>(done);
    console.show(WorkDone{"train: read", "pieces", done, 50, seconds_});
    seen += look();
  }
  EXPECT_EQ(seen, "train: read 10 of 50 pieces  40.0s left\ntrain: read 20 of 50 pieces  30.0s left\n");
  console.end_work();
  EXPECT_EQ(look(), "");
}

TEST_F(ConsoleTest, EndsItsBarWithALine) {
  {
    Console console(Console::Style::bar, screen());
    console.show(progress(300));
    look();
  }
  EXPECT_EQ(look(), "\n");
}

}  // namespace
}  // namespace sft
