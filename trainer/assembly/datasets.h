// The data of a run, opened: raw files are prepared first, by all ranks together, HDF5 files are taken as they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "data/prepare/prepare.h"
#include "data/samples/dataset.h"
#include "data/text/tokenizer.h"
#include "trainer/config/run_config.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/tasks/task.h"
#include "trainer/tasks/tasks.h"

namespace sft {

struct Datasets {
  std::unique_ptr<Tokenizer> tokenizer;              // null where the data are images
  std::unique_ptr<Dataset> train, validation, test;  // null where the config names none
  Labels labels;
};

// What the model's directory says of its rows where the config does not: sizes of pictures, and the side on which
// longer texts are cut ("truncation_side" of tokenizer_config.json), as transformers' tokenizer cuts them.
void settle_reading(LoadedConfig& loaded, const ModelDirectory& model);

// Every rank calls. Errors are the same on all of them.
Datasets open_datasets(const LoadedConfig& loaded, const ModelDirectory& model, Communicator& control);

// One split of a task whose labels are known: for evaluate and predict. `tokenizer` is null where the task takes
// pictures.
std::unique_ptr<Dataset> open_split(const std::string& split, const StringList& files, const DataConfig& config,
                                    const std::string& prepared_directory, const TaskKind& task,
                                    const Tokenizer* tokenizer, const Labels& labels, bool labels_required,
                                    Communicator& control);

// What data.validation_split or data.fold holds back of the training files, which are `files`.
std::unique_ptr<Dataset> open_held_out(const StringList& files, const LoadedConfig& loaded, const Tokenizer* tokenizer,
                                       const Labels& labels, Communicator& control);

// `control` as the data floor sees it.
Peers peers_of(Communicator& control);

// output_dir's parent /.prepared, unless data.prepared_dir says otherwise.
std::string prepared_directory(const RunConfig& config);

}  // namespace sft
