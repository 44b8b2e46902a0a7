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

namespace sft {

struct Datasets {
  std::unique_ptr<Tokenizer> tokenizer;              // null where the data are images
  std::unique_ptr<Dataset> train, validation, test;  // null where the config names none
  Labels labels;
};

// Every rank calls. Errors are the same on all of them.
Datasets open_datasets(const LoadedConfig& loaded, const ModelDirectory& model, Communicator& control);

// One split by files, labels and the form of targets known: for evaluate and predict. Without a tokenizer it is of
// images.
std::unique_ptr<Dataset> open_split(const std::string& split, const StringList& files, const DataConfig& config,
                                    const std::string& prepared_directory, const Tokenizer* tokenizer,
                                    const Labels& labels, bool labels_required, Communicator& control);

// Whether a file of texts is HDF5 by its name, which is taken as it is.
bool is_prepared(const std::string& path);

// `control` as the data floor sees it.
Peers peers_of(Communicator& control);

// output_dir's parent /.prepared, unless data.prepared_dir says otherwise.
std::string prepared_directory(const RunConfig& config);

}  // namespace sft
