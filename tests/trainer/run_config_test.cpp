#include "trainer/config/run_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "tests/base/temporary_directory.h"
#include "trainer/config/training_keys.h"

namespace sft {
namespace {

class RunConfigFile : public testing::Test {
 protected:
  RunConfigFile() {
    directory.file("train.jsonl", "{}\n");
    directory.file("validation.jsonl", "{}\n");
  }

  // A complete config of seven lines, then `more`.
  std::string text(const std::string& more) const {
    return "output_dir = 'runs/x'\n[model]\nmodel_name_or_path = 'm'\n[data]\ntrain_file = '" +
           directory.path("train.jsonl") + "'\n[eval]\n" + more;
  }
  LoadedConfig load(const std::string& more, const std::vector<std::string>& arguments = {}) const {
    return load_run_config(directory.file("run.toml", text(more)), arguments);
  }
  std::string shortened(std::string message) const {
    const std::string prefix = directory.path() + '/';
    for (size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
    return message;
  }
  std::string wrong(const std::string& more, const std::vector<std::string>& arguments = {}) const {
    try {
      load(more, arguments);
    } catch (const ConfigError& error) {
      return shortened(error.what());
    }
    return "";
  }
  std::vector<std::string> warnings(const std::string& more, const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> all = load(more, arguments).warnings;
    for (std::string& warning : all) warning = shortened(warning);
    return all;
  }
  std::string validation() const { return "data.validation_file=" + directory.path("validation.jsonl"); }

  TemporaryDirectory directory;
};

using List = std::vector<std::string>;

TEST_F(RunConfigFile, HasTheDefaultsOfHuggingFace) {
  const RunConfig config = load("").config;
  EXPECT_EQ(config.seed, 42);
  EXPECT_EQ(config.optim.optim, "adamw");
  EXPECT_EQ(config.optim.learning_rate, 5e-5);
  EXPECT_EQ(config.optim.adam_beta2, 0.999);
  EXPECT_EQ(config.optim.adam_epsilon, 1e-8);
  EXPECT_EQ(config.train.num_train_epochs, 3.0);
  EXPECT_EQ(config.train.max_grad_norm, 1.0);
  EXPECT_EQ(config.scheduler.lr_scheduler_type, "linear");
  EXPECT_EQ(config.log.logging_steps, 10);
}

// With these, two fields of two sections may not share a name, or neither could be overridden by it.
TEST_F(RunConfigFile, EveryKeyHasANameOfItsOwnAndAMeaning) {
  RunConfig config;
  List names;
  for (const BoundField& field : bind_fields(config)) {
    names.emplace_back(field.info.name);
    EXPECT_FALSE(field.info.help.empty()) << field.key();
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  EXPECT_EQ(twice, names.end()) << *twice;
}

TEST_F(RunConfigFile, TakesTheNamesThatHuggingFaceUsersKnow) {
  const RunConfig config = load("", {"--max_seq_length", "64", "--warmup_ratio", "0.1", "--optim", "adamw_torch_fused",
                                     "--learning_rate=2e-5"})
                               .config;
  EXPECT_EQ(config.data.max_length, 64);
  EXPECT_EQ(config.scheduler.warmup_steps, 0.1);
  EXPECT_EQ(config.optim.optim, "adamw");
  EXPECT_EQ(config.optim.learning_rate, 2e-5);
}

TEST_F(RunConfigFile, RefusesByNameWhatIsNotBuiltYet) {
  for (const char* setting : {"model.dtype=float16", "task=seq2seq"}) {
    const std::string message = wrong("", {setting});
    EXPECT_NE(message.find(" is not built yet; "), std::string::npos) << setting << ": " << message;
    EXPECT_EQ(message.find("command line: "), 0u) << message;
  }
  for (const char* setting :
       {"device=cuda", "model.dtype=float64", "problem_type=single_label_classification", "train.loss=cross_entropy"})
    EXPECT_EQ(wrong("", {setting}), "") << setting;
}

TEST_F(RunConfigFile, TasksSayWhereLongRowsAreCut) {
  EXPECT_EQ(load("").config.data.truncation, "right");
  EXPECT_EQ(load("", {"data.truncation=left"}).config.data.truncation, "left");
  EXPECT_EQ(wrong("", {"data.truncation=drop"}),
            "command line: data.truncation = 'drop' is not for text_classification; wanted one of: right, left, error");
}

TEST_F(RunConfigFile, BoxesAreOfWholePictures) {
  EXPECT_EQ(wrong("", {"model.task=object_detection", "data.crop=random"}),
            "command line: data.crop = 'random' is of tasks that cut images; object_detection fits them into squares: "
            "set data.random_scale instead");
  EXPECT_EQ(wrong("", {"model.task=image_classification", "data.crop=random"}), "");
}

TEST_F(RunConfigFile, AsksForWhatEveryRunNeeds) {
  const auto message = [&](const std::string& toml) {
    try {
      load_run_config(directory.file("bare.toml", toml));
    } catch (const ConfigError& error) {
      return shortened(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message(""), "bare.toml: output_dir is missing; it wants a value such as \"runs/first\"");
  EXPECT_EQ(message("output_dir = 'x'\n"),
            "bare.toml: model.model_name_or_path is missing; it wants a value such as \"models/minilm\"");
  EXPECT_EQ(message("output_dir = 'x'\nmodel.model_name_or_path = 'm'\n"),
            "bare.toml: data.train_file is missing; it wants a value such as \"data/train.jsonl\"");
}

TEST_F(RunConfigFile, NamesTheLineOfAFileThatIsNotThere) {
  EXPECT_EQ(wrong("[data]\n").substr(0, 10), "run.toml:7") << "a table may not be opened twice";
  EXPECT_EQ(wrong("", {"test_file=" + directory.path("no.jsonl")}),
            "command line: data.test_file: there is no file 'no.jsonl'");
  EXPECT_EQ(wrong("", {"train_file=" + directory.path("no*.jsonl")}),
            "command line: data.train_file: no file matches 'no*.jsonl'");
  EXPECT_EQ(
      wrong("", {"validation_file=" + directory.path()}),
      "command line: data.validation_file: '" + directory.path() + "' is a directory; wanted files, as '*.jsonl'");
  EXPECT_EQ(wrong("", {"resume_from_checkpoint=latest"}),
            "command line: resume_from_checkpoint: wanted auto, none or a checkpoint directory, found 'latest'");
  std::filesystem::remove(directory.path("train.jsonl"));
  EXPECT_EQ(wrong(""), "run.toml:5: data.train_file: there is no file 'train.jsonl'");
}

TEST_F(RunConfigFile, ExpandsGlobsByNameInTheOrderOfThePatterns) {
  for (const char* name : {"b-2.csv", "b-10.csv", "b-1.csv", "a.csv", "[x].csv"}) directory.file(name, "");
  const auto files = expand_files({directory.path("b-*.csv"), directory.path("a.csv"), directory.path("[x].csv")},
                                  "data.train_file", {});
  EXPECT_EQ(files, (List{directory.path("b-1.csv"), directory.path("b-10.csv"), directory.path("b-2.csv"),
                         directory.path("a.csv"), directory.path("[x].csv")}));
}

TEST_F(RunConfigFile, RefusesNumbersWithWhichNothingIsLearned) {
  const auto told = [&](const char* key, const char* value) {
    return wrong("", {concat("optim.optim=", std::string_view(key) == "optim.momentum" ? "sgd" : "adamw"),
                      concat(key, "=", value)});
  };
  const char* const below_1 = ": wanted at least 0 and less than 1, found 1";
  for (const char* key : {"train.label_smoothing_factor", "optim.momentum", "optim.adam_beta1", "optim.adam_beta2"})
    EXPECT_EQ(told(key, "1"), concat("command line: ", key, below_1));
  EXPECT_EQ(told("optim.adam_epsilon", "0"), "command line: optim.adam_epsilon: wanted at least 1e-37, found 0")
      << "0 / 0 where a row of a table of embeddings has no gradient yet";
  for (const char* key : {"train.l2", "train.max_grad_norm", "optim.learning_rate", "hooks.kill_after_seconds"})
    EXPECT_EQ(told(key, "1e300"), concat("command line: ", key,
                                         ": wanted a number that single precision holds, up to 3.4e38, found 1e+300"));
  for (const char* key : {"scheduler.warmup_steps", "save.save_steps", "log.logging_steps", "eval.eval_steps"})
    EXPECT_EQ(told(key, "1e30"), concat("command line: ", key, ": wanted at most 1099511627776 updates, found 1e+30"));
}

TEST_F(RunConfigFile, WarnsOfKeysWithoutEffect) {
  EXPECT_EQ(warnings(""), List{});
  EXPECT_EQ(warnings("", {"momentum=0.9"}), List{"command line: optim.momentum has no effect: optim.optim is adamw"});
  EXPECT_EQ(warnings("[optim]\noptim = 'sgd'\nnesterov = true\n"),
            List{"run.toml:9: optim.nesterov has no effect: optim.momentum is 0"});
  EXPECT_EQ(warnings("", {"optim=sgd", "momentum=0.9", "--nesterov"}), List{});
  EXPECT_EQ(warnings("", {"optim=sgd", "adam_beta1=0.8"}),
            List{"command line: optim.adam_beta1 has no effect: optim.optim is sgd"});
  const std::string no_data = "there is no validation data (data.validation_file, data.validation_split or data.fold)";
  EXPECT_EQ(warnings("eval_strategy = 'epoch'\nmetric_for_best_model = 'f1'\n"),
            (List{"run.toml:7: eval.eval_strategy has no effect: " + no_data,
                  "run.toml:8: eval.metric_for_best_model has no effect: " + no_data}));
  EXPECT_EQ(warnings("metric_for_best_model = 'f1'\n", {"validation_split=0.1"}), List{});
  EXPECT_EQ(warnings("eval_steps = 50\n", {validation()}),
            List{"run.toml:7: eval.eval_steps has no effect: eval.eval_strategy is auto"});
  EXPECT_EQ(warnings("eval_steps = 50\neval_strategy = 'steps'\n", {validation()}), List{});
  EXPECT_EQ(warnings("", {"max_steps=10", "num_train_epochs=1"}),
            List{"command line: train.num_train_epochs has no effect: train.max_steps is set"});
  EXPECT_EQ(warnings("", {"momentum=0.0", "adam_beta1=0.9"}), List{}) << "a default needs no word";
  EXPECT_EQ(warnings("", {"validation_file=" + directory.path("train.jsonl")}).size(), 1u);
}

TEST_F(RunConfigFile, RefusesWhatNeedsAnEvaluationThatNeverComes) {
  const std::string needs = " needs evaluation: eval.eval_strategy epoch or steps, and validation data";
  EXPECT_EQ(wrong("early_stopping_patience = 2\n"), "run.toml:7: eval.early_stopping_patience" + needs);
  EXPECT_EQ(wrong("load_best_model_at_end = true\n"), "run.toml:7: eval.load_best_model_at_end" + needs);
  EXPECT_EQ(wrong("", {"save_strategy=best"}), "command line: save.save_strategy = 'best'" + needs);
  EXPECT_EQ(wrong("load_best_model_at_end = true\neval_strategy = 'no'\n", {validation()}),
            "run.toml:7: eval.load_best_model_at_end" + needs);
  EXPECT_EQ(wrong("load_best_model_at_end = true\n", {validation(), "save_strategy=no"}),
            "command line: save.save_strategy = 'no' leaves no best checkpoint for eval.load_best_model_at_end");
  EXPECT_EQ(wrong("load_best_model_at_end = true\n", {validation()}), "");
}

TEST_F(RunConfigFile, SettlesWhenToEvaluateAndThatEarlyStoppingKeepsTheBest) {
  EXPECT_EQ(load("").config.eval.eval_strategy, "no");
  EXPECT_EQ(load("", {validation()}).config.eval.eval_strategy, "epoch");
  EXPECT_EQ(load("", {"validation_split=0.1"}).config.eval.eval_strategy, "epoch");
  EXPECT_EQ(load("eval_strategy = 'steps'\n", {validation()}).config.eval.eval_strategy, "steps");
  EXPECT_FALSE(load("", {validation()}).config.eval.load_best_model_at_end);
  EXPECT_TRUE(load("early_stopping_patience = 2\n", {validation()}).config.eval.load_best_model_at_end);
}

TEST_F(RunConfigFile, ItsPrintedFormLoadsAgainInSilence) {
  for (const List& arguments : {List{}, List{validation(), "early_stopping_patience=3", "class_weights={a=2.0}",
                                             "model.config.hidden_act=relu", "sweep={}"}}) {
    const RunConfig config = load("", arguments).config;
    const LoadedConfig again = load_run_config(directory.file("resolved.toml", to_toml(config)));
    EXPECT_EQ(to_toml(again.config), to_toml(config));
    EXPECT_EQ(again.warnings, List{});
  }
}

TEST_F(RunConfigFile, OneUpdateIsTheSameHoweverItIsWritten) {
  const auto rows = [&](const List& arguments, int world) {
    const LoadedConfig loaded = load("", arguments);
    return resolve_global_batch_size(loaded.config, loaded.origins, world);
  };
  EXPECT_EQ(rows({}, 8), 32);
  EXPECT_EQ(rows({"global_batch_size=48"}, 8), 48);
  EXPECT_EQ(rows({"per_device_train_batch_size=4"}, 8), 32);
  EXPECT_EQ(rows({"per_device_train_batch_size=4", "gradient_accumulation_steps=3"}, 2), 24);
  EXPECT_EQ(rows({"per_device_train_batch_size=4", "gradient_accumulation_steps=3", "global_batch_size=24"}, 2), 24);
  try {
    rows({"per_device_train_batch_size=4", "gradient_accumulation_steps=3", "global_batch_size=32"}, 2);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "command line: train.global_batch_size = 32 contradicts per_device_train_batch_size × "
                 "gradient_accumulation_steps × ranks = 4 × 3 × 2 = 24; give one of them");
  }
  EXPECT_THROW(rows({"per_device_train_batch_size=4000000000", "gradient_accumulation_steps=4000000000"}, 2),
               ConfigError);
  EXPECT_EQ(wrong("", {"gradient_accumulation_steps=2"}),
            "command line: train.gradient_accumulation_steps needs train.per_device_train_batch_size; "
            "train.global_batch_size alone says what an update is");
}

TEST_F(RunConfigFile, CountsOfUpdatesAreWholeOrShares) {
  EXPECT_EQ(wrong("", {"logging_steps=2.5"}),
            "command line: log.logging_steps: wanted a whole number of updates or a share below 1, found 2.5");
  EXPECT_EQ(wrong("", {"warmup_ratio=2"}),
            "command line: scheduler.warmup_steps: as warmup_ratio it wants a share below 1, found 2");
  EXPECT_EQ(wrong("", {"max_steps=0"}), "command line: train.max_steps: wanted a number of updates or -1, found 0");
  EXPECT_EQ(wrong("", {"log.report_to=['none', 'tensorboard']"}), "command line: log.report_to: 'none' stands alone");
}

TEST_F(RunConfigFile, RefusesCountsThatNothingCanHoldAndColumnsWithoutAName) {
  EXPECT_EQ(wrong("", {"train.global_batch_size=9223372036854775807"}),
            "command line: train.global_batch_size: wanted at most 1073741824, found 9223372036854775807");
  EXPECT_EQ(wrong("", {"train.max_steps=9223372036854775807"}).substr(0, 47),
            "command line: train.max_steps: wanted at most 1");
  EXPECT_EQ(wrong("", {"threads=100000"}), "command line: threads: wanted at most 1024, found 100000");
  for (const char* none : {"data.text_column=[]", "data.text_column=[\"text\",\"\"]"})
    EXPECT_EQ(wrong("", {none}),
              "command line: data.text_column: wanted the name of a column, or of several, found none");
  EXPECT_EQ(wrong("", {"data.label_column="}), "command line: data.label_column: wanted the name of a column");
}

TEST_F(RunConfigFile, TellsOfARateOfZero) {
  EXPECT_EQ(warnings("", {"optim.learning_rate=0"}),
            List{"command line: optim.learning_rate is 0: no update changes the model"});
}

// As transformers: math.ceil(total * ratio) below 1, the count itself otherwise.
TEST(StepsOf, TakesShareOrCount) {
  EXPECT_EQ(steps_of(500, 1000), 500);
  EXPECT_EQ(steps_of(1, 1000), 1);
  EXPECT_EQ(steps_of(0.1, 1000), 100);
  EXPECT_EQ(steps_of(0.1, 1001), 101);
  EXPECT_EQ(steps_of(0.001, 3), 1);
  EXPECT_EQ(steps_of(0, 1000), 0);
}

TEST(SecondsOf, ReadsDurations) {
  EXPECT_EQ(seconds_of("", "k"), 0);
  EXPECT_EQ(seconds_of("90s", "k"), 90);
  EXPECT_EQ(seconds_of("45m", "k"), 2700);
  EXPECT_EQ(seconds_of("3h30m", "k"), 12600);
  EXPECT_EQ(seconds_of("1d2h3m4s", "k"), 93784);
  for (const char* wrong : {"3", "h", "3x", "-3h", "30m3h", "3h3h", "3h 30m", "0s", "1.5h", "99999999999h", "3h30"}) {
    try {
      seconds_of(wrong, "train.max_time");
      ADD_FAILURE() << wrong;
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()),
                "train.max_time: wanted a duration such as 3h30m, 45m or 90s, found '" + std::string(wrong) + "'");
    }
  }
}

// parallel.strategy might not change once, and was written into checkpoints.
TEST_F(RunConfigFile, GoesOnFromWhatABuildOfBeforeDidNotLetChange) {
  nlohmann::json now = training_keys(load("").config, 8, "rows");
  nlohmann::json before = now;
  before["parallel"]["strategy"] = "replicated";
  EXPECT_NO_THROW(check_same_training(before, now, "a checkpoint"));
  before["optim"]["learning_rate"] = 1.0;
  EXPECT_THROW(check_same_training(before, now, "a checkpoint"), ConfigError);
}

}  // namespace
}  // namespace sft
