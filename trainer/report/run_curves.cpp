#include "trainer/report/run_curves.h"

#include <algorithm>
#include <set>

#include "trainer/report/chart.h"
#include "trainer/report/curve_shape.h"
#include "trainer/report/html.h"
#include "trainer/report/run_facts.h"

namespace sft {
namespace {

constexpr size_t kMostInOneChart = 4;  // curves of one run

bool is_evaluation(const std::string& key) {
  return key.starts_with("eval_") && key != "eval_loss" && !key.ends_with("_runtime") && !key.ends_with("_per_second");
}

bool is_score(const Curve& curve) {
  return is_evaluation(curve.key) && !is_error(curve.key) &&
         std::ranges::all_of(curve.points, [](const Point& point) { return point.value >= -1 && point.value <= 1; });
}

// The raw curve pale, its running mean over it.
void add_smoothed(std::vector<Line>& lines, const Curve& curve, const std::string& name, size_t color) {
  const bool is_short = curve.points.size() < 30;
  if (!is_short) lines.push_back({"", thinned(curve.points), color, Line::Style::faint});
  lines.push_back({name.empty() && !is_short ? "running mean" : name,
                   thinned(is_short ? curve.points : smoothed(curve.points)), color, Line::Style::solid});
}

std::string loss_chart(const RunRecord& record) {
  std::vector<Line> lines;
  const Curve* training = record.curve("loss");
  if (training != nullptr) add_smoothed(lines, *training, "training", 0);
  if (const Curve* evaluated = record.curve("eval_loss"))
    lines.push_back({"validation", thinned(evaluated->points), 1, Line::Style::dotted});
  const bool is_smoothed = training != nullptr && training->points.size() >= 30;
  return chart("Loss", is_smoothed ? "pale: each logging window; strong: their running mean" : "", lines);
}

std::string single_chart(const RunRecord& record, const std::string& key, const std::string& title,
                         const std::string& remark) {
  const Curve* curve = record.curve(key);
  if (curve == nullptr) return "";
  std::vector<Line> lines;
  if (key == "learning_rate")
    lines.push_back({"", thinned(curve->points), 0, Line::Style::solid});
  else
    add_smoothed(lines, *curve, "", 0);
  return chart(title, remark, lines);
}

// Scores between 0 and 1 share a chart; each other metric has one of its own.
std::string evaluation_charts(const RunRecord& record) {
  std::vector<Line> scores;
  std::string own;
  const MetricWords words = words_of(record);
  for (const Curve& curve : record.curves) {
    if (!is_evaluation(curve.key) || words.repeats(curve.key.substr(5))) continue;
    const std::string name = metric_name(curve.key.substr(5), words);
    if (!is_score(curve))
      own += chart(name, "validation", {{"", thinned(curve.points), 1, Line::Style::dotted}});
    else if (scores.size() < kMostInOneChart)
      scores.push_back({name, thinned(curve.points), scores.size() + 1, Line::Style::dotted});
  }
  return chart("Scores", "validation", scores, Values::scores) + own;
}

std::string compared(const std::vector<RunRecord>& records, const std::string& key, const std::string& title) {
  std::vector<Line> lines;
  bool are_scores = true;
  for (size_t i = 0; i < records.size(); ++i)
    if (const Curve* curve = records[i].curve(key)) {
      const bool is_evaluated = key.starts_with("eval_");
      are_scores = are_scores && is_score(*curve);
      const bool is_smooth = is_evaluated || key == "learning_rate" || curve->points.size() < 30;
      lines.push_back({records[i].name, thinned(is_smooth ? curve->points : smoothed(curve->points), 300), i,
                       is_evaluated ? Line::Style::dotted : Line::Style::solid});
    }
  return chart(title,
               key == "loss"              ? "training, running mean"
               : key.starts_with("eval_") ? "validation"
                                          : "",
               lines, are_scores ? Values::scores : Values::any);
}

}  // namespace

std::string charts_of(const RunRecord& record) {
  const std::string all = loss_chart(record) + evaluation_charts(record) +
                          single_chart(record, "learning_rate", "Learning rate", "") +
                          single_chart(record, "grad_norm", "Gradient norm", "before the clip") +
                          single_chart(record, "samples_per_second", "Samples per second", "of all ranks");
  return all.empty() ? "" : "<div class=\"charts\">" + all + "</div>\n";
}

std::string charts_of(const std::vector<RunRecord>& records) {
  std::string all = compared(records, "loss", "Training loss") + compared(records, "eval_loss", "Validation loss");
  std::set<std::string> done;
  for (const RunRecord& record : records)
    for (const Curve& curve : record.curves)
      if (const MetricWords words = words_of(record); is_evaluation(curve.key) &&
                                                      !words.repeats(curve.key.substr(5)) &&
                                                      done.insert(curve.key).second)
        all += compared(records, curve.key, metric_name(curve.key.substr(5), words));
  all += compared(records, "learning_rate", "Learning rate") + compared(records, "grad_norm", "Gradient norm");
  return all.empty() ? "" : "<div class=\"charts\">" + all + "</div>\n";
}

}  // namespace sft
