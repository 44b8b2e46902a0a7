// Model and head as the config says, weights loaded or drawn, and which of their parameters train.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/adapters/low_rank_adapters.h"
#include "trainer/assembly/datasets.h"
#include "trainer/config/run_config.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/models/model.h"
#include "trainer/plugins/plugins.h"
#include "trainer/tasks/task.h"

namespace sft {

struct Built {
  std::unique_ptr<Model> model;
  std::unique_ptr<Task> task;
  LowRankAdapters adapters;  // on the model
  FromFiles from_files;
  LoadReport report;                       // of those files
  std::shared_ptr<const Plugins> plugins;  // null: none
  std::string weights_checksum;            // checksum_of() the files that it was loaded from; "": not read
};

// What a model is built for.
enum class Purpose { training, prediction };

// The model has the adapters that the config asks for, or those of the directory. Every rank calls; errors are the same
// on all of them. Rank 0 logs which tensors were missing or not used.
// Matrices that will not train stay as the files have them (pretrained.h): of a model for prediction all do.
// `tokenizer` is borrowed by the task; null where the data are images.
Built build_model(const RunConfig& config, Purpose purpose, const ModelDirectory& directory, const Labels& labels,
                  const Tokenizer* tokenizer, const at::Device& device, const BatchNormRule& batch_norm,
                  Communicator& control);

// Of a model's parameters: never narrower than float32, but for matrices that stay as files have them.
at::ScalarType parameter_type(const RunConfig& config);

BatchNormMode batch_norm_mode(const RunConfig& config);
// The config's rule of BatchNorm; `over` sums over all ranks, and is borrowed.
BatchNormRule batch_norm_rule(const RunConfig& config, BatchStatistics& over);

}  // namespace sft
