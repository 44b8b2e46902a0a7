// A commented starter config for one's own rows.
#include <iostream>

#include "base/text.h"
#include "launch/commands/commands.h"

namespace sft {
namespace {

const char* const kTextClassification =
    R"(# Fine-tunes a text classifier. Fill in the paths below, then:
#   sft-dist run.toml --dry-run               is everything there? Prints every key with its meaning
#   mpirun -np 2 sft-dist run.toml            trains on two ranks; the same command again goes on where it stopped
#   sft-dist inspect runs/first               what came of it; runs/first/report.html shows it
output_dir = "runs/first"                 # everything the run leaves is in here
seed = 42

[model]
model_name_or_path = "path/to/model"      # a directory in Hugging Face layout: config.json, model.safetensors, tokenizer
task = "text_classification"

[data]
train_file = "train.jsonl"                # .jsonl, .csv or .tsv with a header row; a glob or a list of them
validation_file = "validation.jsonl"      # or leave it out and set validation_split = 0.1
# test_file = "test.jsonl"                # evaluated once at the end, with predictions.jsonl
text_column = "text"
# text_pair_column = "second_text"        # for pairs
label_column = "label"                    # a name, a list of names, or a number: model.problem_type says what else numbers mean
max_length = 128                          # tokens; longer rows are cut on the right

[train]
num_train_epochs = 3
global_batch_size = 32                    # over all ranks: the result does not depend on how many there are
# class_weights = "balanced"              # for imbalanced classes

[optim]
learning_rate = 5e-5
# head_lr_multiplier = 10                 # a new head learns faster than the pretrained trunk

[scheduler]
warmup_steps = 0.06                       # below 1: a share of all updates

[eval]
load_best_model_at_end = true
metric_for_best_model = "f1"
# early_stopping_patience = 3
)";

}  // namespace

ExitCode init(const Arguments& arguments, Job& job) {
  if (!arguments.target.empty() && arguments.target != "text_classification")
    throw Error(ExitCode::usage,
                concat("init ", quoted(arguments.target), ": there is a starter for text_classification only"),
                Reach::everywhere);
  if (job.control().rank() == 0) std::cout << kTextClassification << std::flush;
  return ExitCode::done;
}

}  // namespace sft
