// Which labels of the training rows are likely wrong? Models that have not seen a row say what they think of its label.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/input_rows.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "launch/run_facts.h"
#include "trainer/assembly/cross_validation.h"
#include "trainer/assembly/run_settings.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// "run.toml" → "run.suspicious.jsonl" where the command was given.
std::string output_of(const Arguments& arguments, const RunConfig& config) {
  StringList read = read_by(config);
  read.push_back(fs::is_directory(arguments.target) ? arguments.target + "/config.toml" : arguments.target);
  const std::string path =
      arguments.output.empty() ? stem_of_run(arguments.target) + ".suspicious.jsonl" : arguments.output;
  return output_beside_runs("--output", path, read);
}

// "rows.jsonl:12" of these rows, by their number in the input. None where the data are no files of rows, or where rows
// that were left out have no number.
std::map<int64_t, std::string> places_of(const std::vector<int64_t>& numbers, const LoadedConfig& loaded) {
  const DataConfig& data = loaded.config.data;
  const StringList files =
      expand_files(data.train_file, "data.train_file", loaded.origins, accepted_by(loaded.config.model.task));
  std::map<int64_t, std::string> places;
  if (data.on_bad_row != "error" || !std::ranges::all_of(files, is_row_file)) return places;
  for (const int64_t number : numbers) places[number] = "";
  InputRows rows(files, quotes_of(data));
  Row row;
  for (int64_t number = 0; !places.empty() && number <= places.rbegin()->first && rows.next(row); ++number)
    if (const auto wanted = places.find(number); wanted != places.end()) wanted->second = row.place();
  return places;
}

std::string lines_of(const OutOfSample& judged, const std::vector<int64_t>& issues, const LoadedConfig& loaded) {
  std::vector<int64_t> numbers;
  for (const int64_t issue : issues) numbers.push_back(judged.row_numbers[static_cast<size_t>(issue)]);
  const auto places = places_of(numbers, loaded);
  std::string lines;
  for (const int64_t issue : issues) {
    const auto at = static_cast<size_t>(issue);
    Json line{{"row", judged.row_numbers[at]}};
    if (const auto place = places.find(judged.row_numbers[at]); place != places.end()) line["place"] = place->second;
    line["label"] = judged.label_names[static_cast<size_t>(judged.rows.labels[at])];
    line["likely_label"] = judged.label_names[static_cast<size_t>(judged.rows.likeliest(issue))];
    line["self_confidence"] = judged.rows.self_confidence(issue);
    line["margin"] = judged.rows.margin(issue);
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  return lines;
}

}  // namespace

ExitCode noise(const Arguments& arguments, Job& job) {
  LoadedConfig loaded;
  std::string output;
  together(job.control(), [&] {
    loaded = load_run(arguments.target, arguments.overrides);
    output = output_of(arguments, loaded.config);
  });
  const RunConfig& config = loaded.config;
  const bool speaks = job.control().rank() == 0;
  require_agreement(job.control(), [&] { return run_facts(config); });
  const Stopwatch watch;
  const World world = job.world(config.device, num_threads(config), config.comm);
  const OutOfSample judged = cross_validate(loaded, world, arguments.folds, [&](int64_t fold, int64_t held_out) {
    if (speaks)
      log::info(concat("fold ", fold + 1, " of ", arguments.folds, ": ", human_count(static_cast<double>(held_out)),
                       " rows are judged by a model that is trained on the others"));
  });
  if (judged.stopped) {
    if (speaks) log::info("stopped; the same command begins anew");
    return ExitCode::requeue;
  }
  together(job.control(), [&] {
    if (!speaks) return;
    const std::vector<int64_t> issues = find_label_issues(judged.rows);
    write_atomically(real_files(), output, lines_of(judged, issues, loaded));
    log::info(concat(issues.size(), " of ", judged.rows.size(), " labels are likely wrong, the likeliest first: ",
                     output, " (", human_seconds(watch.seconds()), ")"));
  });
  return ExitCode::done;
}

}  // namespace sft
