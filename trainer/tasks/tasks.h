// The table of tasks: all that the rest of the house knows of a task by its name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/extra_settings.h"
#include "base/file_ops.h"
#include "base/schema.h"
#include "comm/communicator.h"
#include "data/prepare/recipe.h"
#include "data/samples/dataset.h"
#include "data/samples/schema.h"
#include "data/text/tokenizer.h"
#include "trainer/models/model.h"
#include "trainer/tasks/blocks/picture_files.h"
#include "trainer/tasks/task.h"

namespace sft {

// A file that `predict` also writes of a task, where the user names one: for the scripts of others.
struct PredictionsForm {
  const char* option;  // "--masks"
  const char* help;
  // Reads the predictions of a task at `predictions`, and writes them at `path`; durably, in one rename.
  void (*write)(const std::string& predictions, const std::string& path, FileOps& files);
};

// A task as PEFT knows it.
struct PeftNames {
  const char* task_type = "";
  StringList heads = {};  // modules that PEFT saves beside adapters when nobody asks
};

// One row a name and problem type. Rows of one name stand together, and agree on all but the problem type and the task
// that they make.
struct TaskKind {
  const char* name;          // model.task
  const char* problem_type;  // "", or the value of model.problem_type that chooses among rows of one name
  Column target;             // that its samples have, of any number of labels
  const char* class_ending;  // of its transformers classes: "ForTokenClassification"
  Takes takes;
  const char* text_column;   // data.text_column, where nobody names one
  const char* label_column;  // likewise data.label_column
  StringList keys;           // settings that only some tasks read, and this one does, beside those it declares
  const char* pipeline_tag;  // of the hub: "token-classification"
  std::unique_ptr<Recipe> (*recipe)(const PrepareRequest&, const DataConfig&,
                                    const Tokenizer*);  // borrows the last two
  std::unique_ptr<Task> (*make)(const TaskSettings& settings, const Model& model);
  StringList truncations = {"right", "left", "error"};  // values of data.truncation that it takes; the first is usual
  // data.max_length, where nobody names one; then no sample has more tokens than the model has positions. 0: the
  // setting's own default, which must fit the model.
  int64_t max_length = 0;
  // Of a task whose model goes on from prompts: the tokens that end an answer. Null: another task.
  std::vector<int32_t> (*stop_tokens)(const DataConfig&, const Tokenizer&) = nullptr;
  std::vector<PredictionsForm> forms = {};
  DrawPrediction (*drawing)() = nullptr;               // lays predictions over pictures, for the report; null: none
  ExtraSettings data = {}, eval = {};  // settings that the task declares in [data] and in [eval]
  const char* ranked = "";             // the member of its predictions that lists the best, which --top-k cuts
  PeftNames peft = {};
  // Collective. Warns of training samples that a model (its config.json) cannot learn whole. Null: there are none.
  void (*look_at)(const Dataset& training, const nlohmann::json& model, Communicator& control) = nullptr;
};

std::span<const TaskKind> tasks();

// The keys of a row, and those of the settings that it declares.
StringList keys_of(const TaskKind& kind);

// The keys of all rows.
StringList keys_of_some_tasks();

StringList task_names();

// The first row of that name. ConfigError with the nearest name for a task that there is not.
const TaskKind& task_named(const std::string& name);

// The row of that name and problem type. A row without a problem type is of any, and "" chooses the first. ConfigError
// where there is none.
const TaskKind& task_of_type(const std::string& name, const std::string& problem_type);

// The row of that name whose target samples of this schema have. ConfigError where there is none.
const TaskKind& task_of_samples(const std::string& name, const Schema& samples);

// The row of a transformers class, or where its ending is no task's, the first that takes what the model takes.
const TaskKind& task_of_class(const std::string& architecture, Takes takes);

// The row that PEFT calls so, or where none is, the first that takes what the model takes.
const TaskKind& task_of_adapter(const std::string& peft_task_type, Takes takes);

// The modules that PEFT saves beside adapters of some task when nobody asks.
StringList usual_heads();

// The task of that name and of the labels' problem type. ConfigError where the settings do not fit the model or the
// labels.
std::unique_ptr<Task> make_task(const std::string& name, const TaskSettings& settings, const Model& model);

}  // namespace sft
