#include "trainer/assembly/run_card.h"

#include <filesystem>
#include <tuple>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/model_files/model_export.h"
#include "trainer/report/model_card.h"
#include "trainer/tasks/tasks.h"

namespace sft {
std::string card_of(const RunConfig& config, const std::string& started_from, const std::string& library, int64_t step,
                    CardOf what) {
  return model_card(read_run(config.output_dir), {.model_path = started_from,
                                                  .library = library,
                                                  .pipeline_tag = task_named(config.model.task).pipeline_tag,
                                                  .step = step,
                                                  .is_final = what == CardOf::final_model});
}

Exports exports_of(const Assembly& run) {
  const bool adapted = !run.learner().adapters().empty();
  const std::string& exports = run.config().lora.exports;
  return {.model = !adapted || exports != "adapter", .adapter = adapted && exports != "merged"};
}

void leave_cards(const Assembly& run, int64_t step) {
  const Exports left = exports_of(run);
  for (const auto& [name, library, is_left] :
       {std::tuple{"model", "transformers", left.model}, {"adapter", "peft", left.adapter}}) {
    const std::string directory = run.config().output_dir + "/" + name;
    try {
      if (is_left)
        add_exported_file(real_files(), directory, "README.md",
                          card_of(run.config(), run.directory->path(), library, step, CardOf::final_model));
      else if (std::filesystem::is_directory(directory))
        log::warn(concat(directory, " is of an earlier end of this run, as lora.export is ",
                         in_quotes(run.config().lora.exports), " now: its weights are not those of step ", step));
    } catch (const std::exception& error) {
      log::warn(concat("no model card in ", directory, ": ", error.what()));
    }
  }
}

nlohmann::ordered_json data_counts(const Assembly& run) {
  nlohmann::ordered_json counts;
  for (const auto& [split, rows] : {std::pair{"train", run.data.train.get()},
                                    {"validation", run.data.validation.get()},
                                    {"test", run.data.test.get()}})
    if (rows != nullptr) counts[split] = rows->info().num_rows;
  const Labels& labels = run.data.labels;
  for (size_t k = 0; k < labels.counts.size() && k < labels.names.size(); ++k)
    counts["labels"][labels.names[k]] = labels.counts[k];
  return counts;
}

int64_t exported_step(const Assembly& run) {
  const RunState& state = run.trainer->state();
  constexpr std::string_view kPrefix = "checkpoint-";
  const bool is_best = run.config().eval.load_best_model_at_end && state.best_checkpoint.starts_with(kPrefix);
  return is_best ? std::stoll(state.best_checkpoint.substr(kPrefix.size())) : state.step;
}

}  // namespace sft
