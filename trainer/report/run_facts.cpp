#include "trainer/report/run_facts.h"

#include <algorithm>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostScores = 3;

bool is_metric(const std::string& name, const Json& value) {
  static const std::vector<std::string> kOthers{"step",    "epoch",   "samples",           "seconds",
                                                "runtime", "details", "samples_per_second"};
  const bool is_one_value = value.is_number() || value.is_string();
  return is_one_value && std::ranges::find(kOthers, name) == kOthers.end();
}

// The metrics of the last evaluation; of a run without a summary, what its log says.
Json validation_of(const RunRecord& record) {
  if (const Json told = record.told({"metrics"}); told.is_object()) return told;
  Json values = Json::object();
  for (const Curve& curve : record.curves)
    if (curve.key.starts_with("eval_")) values[curve.key.substr(5)] = curve.points.back().value;
  return values;
}

Json test_of(const RunRecord& record) {
  const Json told = record.told({"test_metrics"});
  return told.is_object() ? told : Json::object();
}

double number_at(const RunRecord& record, const char* name) {
  const Json value = record.told({name});
  return value.is_number() ? value.get<double>() : -1;
}

void add_best(const RunRecord& record, std::vector<Fact>& facts) {
  const Json best = record.told({"best_metric"});
  const std::string where = record.text_told("best_model_checkpoint");
  if (!best.is_number()) return;
  std::string metric = record.text_setting("eval.metric_for_best_model");
  if (metric.starts_with("eval_")) metric = metric.substr(5);
  const bool is_named = !metric.empty() && metric != "auto";
  facts.push_back({concat("best ", is_named ? metric_name(metric, words_of(record)) : "metric"), value_text(best),
                   where.empty() ? "validation" : "validation, " + where});
}

double count_of(const Json& counts, const std::string& name) {
  return counts.is_object() && counts.contains(name) && counts[name].is_number() ? counts[name].get<double>() : 0;
}

// What the most frequent class of the training rows would have, given always: of rows or pixels.
void add_baseline(const RunRecord& record, std::vector<Fact>& facts) {
  const Details details = details_of(record);
  if (!details.values.is_object() || !details.values.contains("confusion_matrix")) return;
  const Json classes = details.values.value("per_class", Json());
  if (!classes.is_object()) return;
  const Json trained = record.told({"data", "labels"});
  double rows = 0, of_most = -1, rows_of_most = 0;
  std::string most;
  for (const auto& [name, scores] : classes.items()) {
    const double here = count_of(scores, "support");
    const double frequency = trained.is_object() ? count_of(trained, name) : here;
    rows += here;
    if (frequency <= of_most) continue;
    of_most = frequency, rows_of_most = here, most = name;
  }
  if (rows > 0 && of_most > 0)
    facts.push_back({"baseline accuracy", number_text(rows_of_most / rows), concat("always ", most)});
}

// "2,400", "600 validation, 591 test": rows of each split.
void add_rows(const RunRecord& record, std::vector<Fact>& facts) {
  const Json rows = record.told({"data"});
  const double trained = count_of(rows, "train");
  if (trained <= 0) return;
  std::vector<std::string> others;
  for (const char* split : {"validation", "test"})
    if (const double count = count_of(rows, split); count > 0) others.push_back(concat(human_count(count), " ", split));
  facts.push_back({"training rows", human_count(trained), join(others, ", ")});
  if (const Json labels = rows.value("labels", Json()); labels.is_object() && !labels.empty())
    facts.push_back({"labels", human_count(static_cast<double>(labels.size())), ""});
}

// Also where they are the defaults: no result means much without them.
void add_step(const RunRecord& record, std::vector<Fact>& facts) {
  if (const std::string batch = record.text_setting("train.global_batch_size"); !batch.empty())
    facts.push_back({"batch", batch, "rows an update, of all ranks"});
  if (const std::string rate = record.text_setting("optim.learning_rate"); !rate.empty())
    facts.push_back({"learning rate", rate, record.text_setting("scheduler.lr_scheduler_type")});
}

// Where the time went: "31.0s", "12 % of the training time".
void add_evaluation_time(const RunRecord& record, double training, std::vector<Fact>& facts) {
  const Curve* runtimes = record.curve("eval_runtime");
  if (runtimes == nullptr) return;
  double seconds = 0;
  for (const Point& point : runtimes->points) seconds += point.value;
  facts.push_back(
      {"evaluation time", human_seconds(seconds),
       training > 0 && training >= seconds ? percent_text(seconds / training) + " of the training time" : ""});
}

}  // namespace

std::vector<MetricRow> metrics_of(const RunRecord& record) {
  const Json test = test_of(record), validation = validation_of(record);
  const MetricWords words = words_of(record);
  std::vector<MetricRow> rows;
  for (const Json* split : {&test, &validation})
    for (const auto& [name, value] : split->items())
      if (is_metric(name, value) && !words.repeats(name) &&
          std::ranges::find(rows, name, &MetricRow::name) == rows.end())
        rows.push_back({name, test.value(name, Json()), validation.value(name, Json())});
  return rows;
}

std::vector<Fact> results_of(const RunRecord& record) {
  const Json test = test_of(record), validation = validation_of(record);
  const Json& split = test.empty() ? validation : test;
  const Json rows = split.value("samples", Json());
  const Json step = test.empty() ? validation.value("step", Json()) : Json();
  const std::string note =
      concat(test.empty() ? "last validation" : "test", step.is_number() ? concat(", at step ", value_text(step)) : "",
             rows.is_number() ? concat(", ", value_text(rows), " rows") : "");
  std::vector<Fact> facts;
  const MetricWords words = words_of(record);
  for (const auto& [name, value] : split.items()) {
    const bool is_variant = name.find("micro") != std::string::npos || name.find("weighted") != std::string::npos;
    if (is_metric(name, value) && name != "loss" && !is_variant && facts.size() < kMostScores)
      facts.push_back({metric_name(name, words), value_text(value), note});
  }
  if (split.contains("loss")) facts.push_back({"loss", value_text(split["loss"]), note});
  if (const Curve* loss = record.curve("loss"); loss != nullptr && facts.empty())
    facts.push_back({"training loss", number_text(loss->points.back().value), concat("step ", record.last_step)});
  add_best(record, facts);
  add_baseline(record, facts);
  return facts;
}

std::vector<Fact> circumstances_of(const RunRecord& record) {
  std::vector<Fact> facts;
  add_rows(record, facts);
  add_step(record, facts);
  const double steps = number_at(record, "global_step"), total = number_at(record, "total_steps");
  const double epoch = number_at(record, "epoch"), seconds = number_at(record, "train_runtime");
  const double done = std::max(steps, static_cast<double>(record.last_step));
  if (done > 0)
    facts.push_back({"updates",
                     total > done ? concat(human_count(done), " of ", human_count(total)) : human_count(done),
                     epoch >= 0 ? concat(number_text(epoch), " epochs") : ""});
  if (seconds >= 0) {
    const double first = number_at(record, "first_step_seconds");
    facts.push_back({"training time", human_seconds(seconds),
                     first >= 0 ? concat("first update after ", human_seconds(first)) : ""});
  }
  add_evaluation_time(record, seconds, facts);
  if (const double rate = number_at(record, "train_samples_per_second"); rate > 0)
    facts.push_back({"samples/s", number_text(rate), "in training"});
  else if (const Curve* rates = record.curve("samples_per_second"))
    facts.push_back({"samples/s", number_text(rates->points.back().value), "at the last line"});
  if (const double world = number_at(record, "world_size"); world > 0)
    facts.push_back({"ranks", human_count(world), record.text_setting("device") == "cuda" ? "GPU" : ""});
  if (const Json peaks = record.told({"peak_rss_bytes"}); peaks.is_array() && !peaks.empty()) {
    double most = 0;
    for (const Json& peak : peaks) most = std::max(most, peak.is_number() ? peak.get<double>() : 0);
    facts.push_back({"peak memory", human_bytes(most), "of a rank"});
  }
  if (const double trained = number_at(record, "trained_parameters"); trained > 0)
    facts.push_back({"trained parameters", human_count(trained), ""});
  if (const double skipped = number_at(record, "skipped_updates"); skipped > 0)
    facts.push_back({"skipped updates", human_count(skipped), "gradients not finite"});
  return facts;
}

MetricWords words_of(const RunRecord& record) {
  return MetricWords(details_of(record).values,
                     test_of(record).contains("accuracy") || validation_of(record).contains("accuracy"));
}

Details details_of(const RunRecord& record) {
  if (Json details = record.told({"test_metrics", "details"}); details.is_object()) return {"test", std::move(details)};
  if (Json details = record.told({"metrics", "details"}); details.is_object())
    return {"last validation", std::move(details)};
  return {"", nullptr};
}

}  // namespace sft
