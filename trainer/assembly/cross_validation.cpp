#include "trainer/assembly/cross_validation.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/samples/folds.h"
#include "trainer/assembly/assemble.h"
#include "trainer/assembly/count_labels.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

// A model a fold and nothing else: all rows of train_file take part, and nothing of a fold is kept.
LoadedConfig for_folds(LoadedConfig loaded) {
  RunConfig& config = loaded.config;
  config.data.validation_file = config.data.test_file = {};
  config.data.validation_split = 0;
  config.data.fold.clear();
  config.eval.eval_strategy = "no";
  config.eval.load_best_model_at_end = false;
  config.eval.early_stopping_patience = 0;
  config.save.save_strategy = "no";
  config.train.record_margins = false;
  config.resume_from_checkpoint = "none";
  config.log.report_to = {"none"};
  return loaded;
}

void require_one_label(const RunConfig& config, const Labels& labels) {
  const TaskKind& kind = task_of_type(config.model.task, labels.problem_type);
  if (!(kind.target == label_column(0)))
    throw ConfigError(concat("noise looks for wrong labels where each row has one label, and these rows are for ",
                             kind.name, *kind.problem_type == '\0' ? "" : concat(" of ", kind.problem_type)));
}

// The training data of one fold's run, and what it leaves out.
class OfFold {
 public:
  OfFold(int64_t fold, int64_t folds) : fold_(fold), folds_(folds) {}

  Datasets open(const LoadedConfig& loaded, const ModelDirectory& model, Communicator& control) {
    Datasets data = open_datasets(loaded, model, control);
    all_ = std::move(data.train);
    std::vector<int64_t> seen;
    together(control, [&] {
      require_one_label(loaded.config, data.labels);
      for (int64_t i = 0; i < all_->size(); ++i)
        (is_held_out(i, static_cast<uint64_t>(loaded.config.seed)) ? held_out_ids_ : seen).push_back(i);
      if (seen.empty() || held_out_ids_.empty())
        throw DataError(concat(all_->info().name, ": fold ", fold_ + 1, " of ", folds_, " holds ",
                               held_out_ids_.empty() ? "none" : "all", " of ", all_->size(),
                               " rows; take fewer --folds"));
    });
    held_out_ = chosen_of(*all_, held_out_ids_);
    data.train = chosen_of(*all_, std::move(seen));
    data.labels.num_rows = data.train->size();
    if (!data.labels.counts.empty()) data.labels.counts = count_labels(*data.train, data.labels.names.size(), control);
    return data;
  }

  const Dataset& held_out() const { return *held_out_; }
  int64_t id(int64_t held_out) const { return held_out_ids_[static_cast<size_t>(held_out)]; }

  int64_t label(int64_t held_out) const {
    const size_t column = held_out_->schema().place("labels");
    Packed cell(held_out_->schema().columns[column].number);
    held_out_->append(held_out, column, cell);
    return cell.as<int64_t>()[0];
  }

 private:
  bool is_held_out(int64_t i, uint64_t seed) const { return fold_of(key_of_inputs(*all_, i, seed), folds_) == fold_; }

  int64_t fold_, folds_;
  std::unique_ptr<Dataset> all_, held_out_;
  std::vector<int64_t> held_out_ids_;
};

// What is known of a row.
struct Judged {
  int64_t row = 0, label = 0;
  std::vector<double> probabilities;
};
using ById = std::map<int64_t, Judged>;

// False where a signal came.
bool train_fold(Assembly& run, const World& world) {
  resume(run);
  for (int64_t step = 0; step < run.total_steps; ++step) {
    if (max(world.control, world.stop_requested && world.stop_requested() ? 1 : 0) > 0) return false;
    run.trainer->step();
  }
  run.learner().task().conclude();
  return true;
}

// Adds the held-out rows, from all ranks, to `into` on each of them.
void judge_fold(Assembly& run, const OfFold& fold, const World& world, ById& into) {
  const StringList& names = run.data.labels.names;
  std::vector<double> mine;  // [index, probabilities …] a row
  Evaluator(run.learner(), fold.held_out(), world.control, evaluator_settings(run.config(), world.device))
      .predict([&](int64_t i, const std::string& prediction) {
        const auto scores = nlohmann::json::parse(prediction).at("scores");
        mine.push_back(static_cast<double>(i));
        for (const std::string& name : names) mine.push_back(scores.at(name).get<double>());
      });
  for (const std::string& part :
       gather_all(world.control, {reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(double)})) {
    std::vector<double> numbers(part.size() / sizeof(double));
    std::memcpy(numbers.data(), part.data(), part.size());
    for (auto at = numbers.begin(); at != numbers.end(); at += 1 + std::ssize(names)) {
      const auto i = static_cast<int64_t>(*at);
      into[fold.id(i)] = {fold.held_out().row(i), fold.label(i), {at + 1, at + 1 + std::ssize(names)}};
    }
  }
}

}  // namespace

OutOfSample cross_validate(const LoadedConfig& loaded, const World& world, int64_t folds,
                           const std::function<void(int64_t fold, int64_t held_out)>& told) {
  OutOfSample out;
  ById judged;
  for (int64_t f = 0; f < folds; ++f) {
    OfFold fold(f, folds);
    const auto run = assemble(for_folds(loaded), world,
                              [&](const LoadedConfig& config, const ModelDirectory& model, Communicator& control) {
                                return fold.open(config, model, control);
                              });
    told(f, fold.held_out().size());
    if (!train_fold(*run, world)) return {.rows = {}, .row_numbers = {}, .label_names = {}, .stopped = true};
    judge_fold(*run, fold, world, judged);
    out.label_names = run->data.labels.names;
  }
  out.rows.num_classes = std::ssize(out.label_names);
  for (const auto& [id, row] : judged) {
    if (row.label < 0) continue;
    out.rows.labels.push_back(row.label);
    out.rows.probabilities.insert(out.rows.probabilities.end(), row.probabilities.begin(), row.probabilities.end());
    out.row_numbers.push_back(row.row);
  }
  return out;
}

}  // namespace sft
