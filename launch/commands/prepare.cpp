// Tokenizes the raw files of a config ahead of training; `train` then starts at once.
#include <iostream>

#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/run_directory.h"
#include "trainer/assembly/datasets.h"

namespace sft {

ExitCode prepare(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::unique_ptr<ModelDirectory> model;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    model = std::make_unique<ModelDirectory>(loaded.config.model.model_name_or_path);
  });
  const Datasets data = open_datasets(loaded, *model, job.control());
  if (job.control().rank() == 0) std::cout << prepared_directory(loaded.config) << std::endl;
  return ExitCode::done;
}

}  // namespace sft
