// Which labels of the training rows are likely wrong? Models that have not seen a row say what they think of its label,
// or a run says what its model thought of it while it was trained.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/lone_work.h"
#include "launch/commands/commands.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/cross_validation.h"
#include "trainer/assembly/row_places.h"
#include "trainer/assembly/run_settings.h"
#include "trainer/metrics/row_margins.h"
#include "trainer/metrics/suspicious_rows.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct NoiseOutputs {
  std::string suspicious;     // "run.toml" → "run.suspicious.jsonl" where the command was given
  std::string probabilities;  // "": not asked for
};

constexpr char kProbabilities[] = "--probabilities";

bool asks_for_probabilities(const Arguments& arguments) {
  const auto given = arguments.forms.find(kProbabilities);
  return given != arguments.forms.end() && !given->second.empty();
}

NoiseOutputs outputs_of(const Arguments& arguments, const RunConfig& config) {
  StringList read = read_by(config);
  read.push_back(fs::is_directory(arguments.target) ? arguments.target + "/config.toml" : arguments.target);
  const std::string path =
      arguments.output.empty() ? stem_of_run(arguments.target) + ".suspicious.jsonl" : arguments.output;
  NoiseOutputs outputs{output_beside_runs("--output", path, read), ""};
  read.push_back(outputs.suspicious);
  if (asks_for_probabilities(arguments))
    outputs.probabilities = output_beside_runs(kProbabilities, arguments.forms.at(kProbabilities), read);
  return outputs;
}

std::string as_line(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n'; }

std::string lines_of(const OutOfSample& judged, const std::vector<int64_t>& issues, const LoadedConfig& loaded) {
  std::vector<int64_t> numbers;
  for (const int64_t issue : issues) numbers.push_back(judged.row_numbers[static_cast<size_t>(issue)]);
  const auto places = places_of(numbers, loaded);
  std::string lines;
  for (const int64_t issue : issues) {
    const auto at = static_cast<size_t>(issue);
    SuspiciousRow row{.row = judged.row_numbers[at],
                      .label = judged.label_names[static_cast<size_t>(judged.rows.labels[at])],
                      .likely = judged.label_names[static_cast<size_t>(judged.rows.likeliest(issue))],
                      .self_confidence = judged.rows.self_confidence(issue),
                      .margin = judged.rows.margin(issue)};
    if (const auto place = places.find(row.row); place != places.end()) {
      row.place = place->second.place;
      row.text = place->second.text;
    }
    lines += to_line(row);
  }
  return lines;
}

std::string probabilities_of(const OutOfSample& judged) {
  std::string lines;
  for (int64_t i = 0; i < judged.rows.size(); ++i) {
    const auto at = static_cast<size_t>(i);
    Json scores = Json::object();
    for (size_t k = 0; k < judged.label_names.size(); ++k)
      scores[judged.label_names[k]] = judged.rows.at(i, static_cast<int64_t>(k));
    lines += as_line({{"row", judged.row_numbers[at]},
                      {"label", judged.label_names[static_cast<size_t>(judged.rows.labels[at])]},
                      {"scores", std::move(scores)}});
  }
  return lines;
}

std::string lines_of(const std::vector<RowMargins>& rows) {
  std::string lines;
  for (const RowMargins& row : rows) {
    Json line = row.place.empty() ? Json{{"row", row.row}} : Json{{"row", row.row}, {"place", row.place}};
    line["label"] = row.label;
    line["likely_label"] = row.likely;
    line["area_under_margin"] = row.summary.area_under_margin;
    line["confidence"] = row.summary.confidence;
    line["variability"] = row.summary.variability;
    lines += as_line(line);
  }
  return lines;
}

// Of a run that has recorded them, unless folds are asked for. "": of no such run.
std::string margins_of(const Arguments& arguments) {
  const std::string path = arguments.target + "/" + kRowMarginsFile;
  return arguments.folds == 0 && !asks_for_probabilities(arguments) && fs::is_regular_file(path) ? path : "";
}

// Nothing is trained: rank 0 reads what the run has left.
ExitCode tell_doubted(const std::string& margins, const Arguments& arguments, const std::string& output,
                      Communicator& control) {
  while_others_wait(control, "noise", [&] {
    if (!arguments.overrides.empty())
      log::warn(concat(join(arguments.overrides, " "), " has no effect: nothing is trained, ", margins,
                       " is read; --folds 5 trains anew"));
    const std::vector<RowMargins> rows = doubted_rows(margins);
    write_atomically(real_files(), output, lines_of(rows));
    log::info(concat(rows.size(), " training rows were doubted over the epochs (area under the margin below 0), the ",
                     "most doubted first: ", output));
  });
  return ExitCode::done;
}

}  // namespace

ExitCode noise(const Arguments& arguments, Job& job) {
  constexpr int64_t kFolds = 5;
  LoadedConfig loaded;
  NoiseOutputs outputs;
  std::string margins;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    outputs = outputs_of(arguments, loaded.config);
    margins = margins_of(arguments);
  });
  const RunConfig& config = loaded.config;
  const bool speaks = job.control().rank() == 0;
  require_agreement(job.control(), [&] { return run_facts(config); });
  job.show_progress(config.log.progress);
  if (!margins.empty()) return tell_doubted(margins, arguments, outputs.suspicious, job.control());
  const int64_t folds = arguments.folds == 0 ? kFolds : arguments.folds;
  const Stopwatch watch;
  const World world = job.world(config.device, num_threads(config), config.comm);
  const OutOfSample judged = cross_validate(loaded, world, folds, [&](int64_t fold, int64_t held_out) {
    if (speaks)
      log::info(concat("fold ", fold + 1, " of ", folds, ": ", human_count(static_cast<double>(held_out)),
                       " rows are judged by a model that is trained on the others"));
  });
  if (judged.stopped) {
    if (speaks) log::info("stopped; the same command begins anew");
    return ExitCode::requeue;
  }
  while_others_wait(job.control(), "noise", [&] {
    const std::vector<int64_t> issues = find_label_issues(judged.rows);
    write_atomically(real_files(), outputs.suspicious, lines_of(judged, issues, loaded));
    if (!outputs.probabilities.empty()) write_atomically(real_files(), outputs.probabilities, probabilities_of(judged));
    log::info(concat(issues.size(), " of ", judged.rows.size(), " labels are likely wrong, the likeliest first: ",
                     outputs.suspicious, " (", human_seconds(watch.seconds()), ")"));
  });
  return ExitCode::done;
}

}  // namespace sft
