// A fine-tuned model from a directory, ready to evaluate and predict.
#pragma once

#include <memory>
#include <string>

#include "launch/job.h"
#include "trainer/assembly/datasets.h"
#include "trainer/assembly/world.h"
#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/model_directory.h"

namespace sft {

struct LoadedModel {
  std::unique_ptr<ModelDirectory> directory;
  std::unique_ptr<Tokenizer> tokenizer;  // null for a model of images
  std::unique_ptr<Learner> learner;
  Labels labels;
  LoadReport report = {};        // which tensors the files did not have, or nobody reads
  GenerateConfig generate = {};  // of `config`, and what that leaves open by the model
};

// For who wants neither losses nor metrics: the plugins need not be there.
RunConfig without_plugins(RunConfig config);

// Every rank calls. `config` says task, pooling and dtype; labels and sizes come from the directory.
LoadedModel load_model(const std::string& directory, RunConfig config, const World& world);

}  // namespace sft
