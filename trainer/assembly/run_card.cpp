#include "trainer/assembly/run_card.h"

#include <filesystem>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/model_files/model_export.h"
#include "trainer/report/model_card.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

// As the hub calls what a transformers class does: "ForTokenClassification" is token-classification.
std::string pipeline_tag(const std::string& class_ending) {
  if (class_ending == "ForCausalLM") return "text-generation";
  if (class_ending == "ForConditionalGeneration") return "text2text-generation";
  if (class_ending == "ForSequenceClassification") return "text-classification";
  std::string tag;
  for (const char letter : class_ending.substr(3)) {
    const bool is_capital = letter >= 'A' && letter <= 'Z';
    if (is_capital && !tag.empty()) tag += '-';
    tag += is_capital ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return tag;
}

}  // namespace

std::string card_of(const RunConfig& config, const std::string& started_from, const std::string& library, int64_t step,
                    CardOf what) {
  return model_card(read_run(config.output_dir),
                    {.model_path = started_from,
                     .library = library,
                     .pipeline_tag = pipeline_tag(task_named(config.model.task).class_ending),
                     .step = step,
                     .is_final = what == CardOf::final_model});
}

void leave_cards(const Assembly& run, int64_t step) {
  for (const auto& [name, library] : {std::pair{"model", "transformers"}, {"adapter", "peft"}}) {
    const std::string directory = run.config().output_dir + "/" + name;
    try {
      if (std::filesystem::is_directory(directory))
        add_exported_file(real_files(), directory, "README.md",
                          card_of(run.config(), run.directory->path(), library, step, CardOf::final_model));
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
