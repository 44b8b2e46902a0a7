#include "trainer/loop/evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>

#include "base/failpoint.h"
#include "base/progress.h"
#include "base/stopwatch.h"
#include "base/tree_sum.h"
#include "comm/agree.h"

namespace sft {
namespace {

// Of parts of one rank; counts added as a tree, as those of ranks are.
Statistics joined(const std::vector<Statistics>& parts) {
  Statistics all;
  std::vector<double> terms(parts.size());
  for (size_t i = 0; i < parts.front().counts.size(); ++i) {
    for (size_t part = 0; part < parts.size(); ++part) terms[part] = parts[part].counts[i];
    all.counts.push_back(tree_sum<double>(terms));
  }
  for (const Statistics& part : parts) {
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
    all.outputs.insert(all.outputs.end(), part.outputs.begin(), part.outputs.end());
  }
  return all;
}

// Leaves the rows of all ranks, in rank order, on each of them.
void gather_rows(Communicator& control, std::vector<double>& rows) {
  const std::string mine(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(double));
  std::string all;
  for (const std::string& part : gather_all(control, mine)) all += part;
  rows.resize(all.size() / sizeof(double));
  if (!rows.empty()) std::memcpy(rows.data(), all.data(), all.size());
}

bool are_finite(const Statistics& all) {
  return std::ranges::all_of(all.counts, [](double count) { return std::isfinite(count); });
}

nlohmann::ordered_json chosen(nlohmann::ordered_json metrics, const std::vector<std::string>& names) {
  if (names.empty()) return metrics;
  nlohmann::ordered_json out{{"loss", metrics["loss"]}};
  for (const std::string& name : names) out[name] = metrics[name];
  return out;
}

constexpr char kLabelColumn[] = "labels";

// Whether a row's labels are those of its words.
bool labels_are_of_words(const Schema& schema) {
  const Column* labels = schema.find(kLabelColumn);
  return labels != nullptr && !labels->axis.empty();
}

// Of sample b: its labelled words, or 1 where it has a label or a set of them.
int64_t num_targets(const Batch& batch, size_t b) {
  const Packed& labels = batch.at(kLabelColumn);
  if (labels_are_of_words(batch.schema)) {
    const Offsets& offsets = batch.offsets(batch.schema.at(kLabelColumn).axis);
    const auto of_words = labels.as<int32_t>().subspan(static_cast<size_t>(offsets[b]),
                                                       static_cast<size_t>(offsets[b + 1] - offsets[b]));
    return std::ranges::count_if(of_words, [](int32_t label) { return label >= 0; });
  }
  return batch.schema.at(kLabelColumn).shape.empty() && labels.as<int64_t>()[b] < 0 ? 0 : 1;
}

// The same names, and no number.
nlohmann::ordered_json undefined(nlohmann::ordered_json metrics) {
  for (auto& value : metrics) value = std::numeric_limits<double>::quiet_NaN();
  return metrics;
}

// Code of plugins may give each rank another number, and ranks act on them together: all take those of rank 0.
void take_from_first(Communicator& control, nlohmann::ordered_json& metrics) {
  std::vector<double> values;
  for (const nlohmann::ordered_json& metric : metrics)
    values.push_back(metric.is_number_float() ? metric.get<double>() : 0.0);
  control.broadcast(Buffer::of(std::span<double>(values)), 0);
  size_t place = 0;
  for (nlohmann::ordered_json& metric : metrics) {
    const double value = values[place++];
    if (metric.is_number_float()) metric = value;
  }
}

}  // namespace

Evaluator::Evaluator(Learner& learner, const Dataset& dataset, Communicator& control, const Settings& settings)
    : learner_(learner), dataset_(dataset), control_(control), settings_(settings) {
  if (learner.task().generating() != nullptr && settings.answers.most_rows > 0)
    answering_ = std::make_unique<Answering>(learner, dataset.size(), settings.answers);
}

Evaluation Evaluator::run(const PredictionSink& predicted) {
  const TimedPhase phase("evaluation");
  const Stopwatch watch;
  const MistakeSettings& wanted = settings_.mistakes;
  if (wanted.most > 0) {
    const Deciding* deciding = learner_.task().deciding();
    mistakes_.emplace(wanted.most, wanted.squash, deciding ? deciding->thresholds() : std::vector<double>{});
  }
  std::vector<Statistics> parts;
  each_part("evaluated", [&](EvalLoader& loader, ShownWork& work) {
    Statistics& part = parts.emplace_back(learner_.task().empty_statistics());
    for (Batch batch; loader.next(batch);) {
      observe(batch, &part, predicted);
      work.add(std::ssize(batch.ids));
    }
  });
  Statistics all = joined(parts);
  control_.all_reduce(Buffer::of(std::span<double>(all.counts)));
  gather_rows(control_, all.rows);
  if (settings_.outputs) gather_rows(control_, all.outputs);
  if (mistakes_)
    for (const std::string& found : gather_all(control_, mistakes_->to_bytes())) mistakes_->merge(found);
  const bool finite = are_finite(all);
  nlohmann::ordered_json metrics;
  together(control_, [&] {
    metrics = chosen(learner_.task().metrics(finite ? all : learner_.task().empty_statistics()), settings_.metrics);
  });
  take_from_first(control_, metrics);
  const bool defined = finite && std::isfinite(metrics.at("loss").get<double>());
  auto details = defined ? learner_.task().details(all) : nlohmann::ordered_json::object();
  if (defined && mistakes_)
    details["mistakes"] = mistakes_->told(wanted.labels, labels_are_of_words(dataset_.schema()));
  return {.metrics = defined ? metrics : undefined(metrics),
          .details = std::move(details),
          .samples = dataset_.size(),
          .seconds = watch.seconds(),
          .outputs = std::move(all.outputs),
          .finite = finite};
}

void Evaluator::predict(const PredictionSink& predicted) {
  const TimedPhase phase("prediction");
  each_part("predicted", [&](EvalLoader& loader, ShownWork& work) {
    for (Batch batch; loader.next(batch);) {
      observe(batch, nullptr, predicted);
      work.add(std::ssize(batch.ids));
    }
  });
}

void Evaluator::observe(const Batch& batch, Statistics* into, const PredictionSink& predicted) {
  settings_.may_leave();
  failpoint("evaluation.batch");
  std::vector<std::string> rows;
  const bool judges = into != nullptr && mistakes_;
  const size_t before = judges ? into->outputs.size() : 0;
  learner_.observe(batch, {into, predicted ? &rows : nullptr, settings_.outputs || judges, settings_.logits},
                   cache_.get());
  if (judges) {
    judge(batch, std::span(into->outputs).subspan(before));
    if (!settings_.outputs) into->outputs.resize(before);
  }
  // A model whose outputs are no numbers has no next token either; its counts say so already.
  const bool answers = answering_ && (into == nullptr || are_finite(*into));
  if (answers) answering_->answer(batch, into, predicted ? &rows : nullptr, settings_.may_leave);
  if (settings_.also_tell && predicted) settings_.also_tell(batch, rows);
  for (size_t b = 0; b < rows.size(); ++b) predicted(batch.ids[b], rows[b]);
}

void Evaluator::judge(const Batch& batch, std::span<const double> outputs) {
  const size_t width = settings_.mistakes.labels.size();
  const auto judge_next = [&](int64_t row, int64_t target, int64_t targets) {
    mistakes_->judge(row, target, targets, outputs.first(width), outputs.subspan(width, width));
    outputs = outputs.subspan(2 * width);
  };
  if (outputs.empty()) return;  // the model's are no numbers
  for (size_t b = 0; b < batch.rows.size(); ++b)
    for (int64_t target = 0, count = num_targets(batch, b); target < count; ++target)
      judge_next(batch.rows[b], target, count);
}

void Evaluator::each_part(const char* done, const std::function<void(EvalLoader&, ShownWork&)>& body) {
  together(control_, [&] {
    const Shard mine{control_.rank(), control_.size()};
    const auto [first, end] = range_of(dataset_, mine);
    ShownWork work(done, "samples", dataset_.size(), end - first);
    for (const Shard part : parts_of(mine, settings_.loading.parts))
      body(*make_eval_loader(dataset_, part, settings_.loading), work);
  });
}

}  // namespace sft
