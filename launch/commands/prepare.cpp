// Tokenizes the raw files of a config ahead of training; `train` then starts at once.
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/errors.h"
#include "base/log.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/near_duplicate_rows.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/datasets.h"
#include "trainer/tasks/recipes/shown_sample.h"

namespace sft {
namespace {

void show(const Datasets& data, int64_t count, bool speaks) {
  if (!data.tokenizer) throw ConfigError("--show prints texts, and the samples of this task are pictures");
  if (!speaks) return;
  const bool colour = ::isatty(STDOUT_FILENO) != 0;
  const std::unique_ptr<Tokenizer> own = Tokenizer::of_targets(data.tokenizer->directory());
  const Tokenizer& of_targets = own ? *own : *data.tokenizer;
  for (int64_t i = 0; i < std::min(count, data.train->size()); ++i)
    std::cout << shown_sample(*data.train, i, *data.tokenizer, of_targets, colour) << '\n';
}

}  // namespace

ExitCode prepare(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::unique_ptr<ModelDirectory> model;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    model = std::make_unique<ModelDirectory>(loaded.config.model.model_name_or_path, loaded.config.model.adapter);
    settle_reading(loaded, *model);
  });
  require_agreement(job.control(), [&] { return run_facts(loaded.config); });
  job.show_progress(loaded.config.log.progress);
  const Datasets data = open_datasets(loaded, *model, job.control());
  if (arguments.show > 0) together(job.control(), [&] { show(data, arguments.show, job.control().rank() == 0); });
  const std::string directory = prepared_directory(loaded.config);
  std::string told = tell_near_duplicates(loaded, directory, peers_of(job.control()));
  together(job.control(), [&] {
    if (job.control().rank() != 0) return;
    const Dataset* held_out = data.test ? data.test.get() : data.validation.get();
    if (told.empty() && held_out != nullptr)
      told = tell_near_duplicate_pictures(*data.train, *held_out, data.test ? "test" : "validation", directory);
    if (!told.empty()) log::info(told);
  });
  if (job.control().rank() == 0) std::cout << directory << std::endl;
  return ExitCode::done;
}

}  // namespace sft
