// What the log targets leave on disk, also after a crash, a resumption and a full disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/temporary_directory.h"
#include "trainer/telemetry/event.h"
#include "trainer/telemetry/record_file.h"

namespace sft {
namespace {

Event line_of(int64_t step) { return {Event::Kind::train, step, 100, {{"step", step}, {"loss", 0.5}, {"epoch", 1}}}; }

TEST(Jsonl, WritesOneObjectALineInTheGivenOrderAtOnce) {
  const TemporaryDirectory run;
  const Sink sink = make_jsonl(run.path("metrics.jsonl"), 0);
  sink({Event::Kind::train, 10, 100, {{"step", 10}, {"loss", "NaN"}, {"epoch", 0.5}}});
  EXPECT_EQ(read_file(run.path("metrics.jsonl")), "{\"step\":10,\"loss\":\"NaN\",\"epoch\":0.5}\n");
  sink({Event::Kind::evaluation, 10, 100, {{"step", 10}, {"eval_loss", 0.25}}});
  sink({Event::Kind::summary, 10, 100, {{"global_step", 10}}});
  EXPECT_EQ(read_file(run.path("metrics.jsonl")),
            "{\"step\":10,\"loss\":\"NaN\",\"epoch\":0.5}\n{\"step\":10,\"eval_loss\":0.25}\n");
}

TEST(Jsonl, CutsOffWhatAResumedRunDoesAgain) {
  const TemporaryDirectory run;
  const std::string kept = "{\"step\":10,\"loss\":1}\n{\"step\":20,\"loss\":2}\n{\"step\":20,\"eval_loss\":3}\n";
  run.file("metrics.jsonl", kept + "{\"step\":21,\"loss\":4}\n{\"step\":30,\"lo");
  make_jsonl(run.path("metrics.jsonl"), 20)(line_of(21));
  EXPECT_EQ(read_file(run.path("metrics.jsonl")), kept + "{\"step\":21,\"loss\":0.5,\"epoch\":1}\n");
}

TEST(Jsonl, KeepsAWholeLastLineThatLacksItsEnd) {
  const TemporaryDirectory run;
  run.file("metrics.jsonl", "{\"step\":10,\"loss\":1}");
  make_jsonl(run.path("metrics.jsonl"), 10)(line_of(20));
  EXPECT_EQ(read_file(run.path("metrics.jsonl")), "{\"step\":10,\"loss\":1}\n{\"step\":20,\"loss\":0.5,\"epoch\":1}\n");
}

TEST(Jsonl, SaysAtTheStartThatItCannotBeWritten) {
  const TemporaryDirectory run;
  EXPECT_THROW(make_jsonl(run.path("missing/metrics.jsonl"), 0), StorageError);
}

// A file size limit stands for the full disk: a record that fits in part is taken back, and the run goes on.
TEST(RecordFile, HoldsWholeRecordsOnlyOnAFullDisk) {
  const TemporaryDirectory run;
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  RecordFile file(run.path("log"));
  file.append("12345678\n");
  const rlimit full{12, unlimited.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  for (int k = 0; k < 3; ++k) file.append("abcdefgh\n");
  EXPECT_EQ(std::filesystem::file_size(run.path("log")), 9u);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  file.append("again\n");
  ::signal(SIGXFSZ, before);
  EXPECT_EQ(read_file(run.path("log")), "12345678\nagain\n");
}

}  // namespace
}  // namespace sft
