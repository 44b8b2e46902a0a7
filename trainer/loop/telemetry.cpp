#include "trainer/loop/telemetry.h"

#include <ATen/ops/stack.h>

#include <cmath>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timeline.h"
#include "comm/agree.h"
#include "trainer/telemetry/chrome_trace.h"

namespace sft {
namespace {

// In one copy.
std::vector<double> numbers_of(const std::vector<at::Tensor>& scalars) {
  if (scalars.empty()) return {};
  const at::Tensor all = at::stack(scalars).to(at::kCPU, at::kDouble).contiguous();
  return {all.const_data_ptr<double>(), all.const_data_ptr<double>() + all.numel()};
}

}  // namespace

nlohmann::ordered_json shown(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

Telemetry::Telemetry(const Settings& settings, Communicator& control, OpenSinks open_sinks)
    : settings_(settings), control_(control), open_sinks_(std::move(open_sinks)) {}

void Telemetry::start(int64_t resumed_step) {
  together(control_, [&] {
    if (control_.rank() == 0) sinks_ = open_sinks_(resumed_step);
  });
  line_watch_.restart();
  updates_to_trace_ = settings_.traced_updates;
  if (updates_to_trace_ > 0) timeline::start();
}

void Telemetry::record(const StepReport& report, LossWindow& window) {
  if (updates_to_trace_ > 0 && --updates_to_trace_ == 0) leave_trace();
  pending_losses_.push_back(report.loss_sum);
  pending_weights_.push_back(report.weight);
  if (report.penalty.defined()) pending_penalties_.push_back(report.penalty);
  line_samples_ += report.samples;
  line_tokens_ += report.tokens;
  if (settings_.sample_ids) write_ids(report);
  if (writes_line(report.step)) write_line(report, window);
}

// The sums of each update are joined one by one and added in order, so the window's value does not
// depend on when it was settled: a resumed run logs the same bits.
void Telemetry::settle(LossWindow& window) {
  std::vector<double> sums = numbers_of(pending_losses_);
  const std::vector<double> penalties = numbers_of(pending_penalties_);
  control_.all_reduce(Buffer::of(std::span<double>(sums)));
  for (size_t i = 0; i < sums.size(); ++i) {
    window.loss_sum += sums[i] + (penalties.empty() ? 0.0 : pending_weights_[i] * penalties[i]);
    window.weight += pending_weights_[i];
    ++window.updates;
  }
  pending_losses_.clear();
  pending_weights_.clear();
  pending_penalties_.clear();
}

void Telemetry::write_line(const StepReport& report, LossWindow& window) {
  settle(window);
  const double seconds = line_watch_.seconds();
  nlohmann::ordered_json values{{"step", report.step},
                                {"epoch", report.epoch},
                                {"loss", shown(window.weight > 0 ? window.loss_sum / window.weight : std::nan(""))},
                                {"grad_norm", shown(report.norm.item<double>())},
                                {"learning_rate", report.rate},
                                {"samples_per_second", static_cast<double>(line_samples_) / seconds}};
  // Images are counted as one token each.
  if (line_tokens_ != line_samples_) values["tokens_per_second"] = static_cast<double>(line_tokens_) / seconds;
  if (settings_.peak_flops > 0)
    values["gemm_share"] = settings_.flops(line_tokens_, line_samples_) / seconds / settings_.peak_flops;
  emit(Event::Kind::train, report.step, std::move(values));
  window = {};
  line_samples_ = line_tokens_ = 0;
  line_watch_.restart();
}

void Telemetry::write_ids(const StepReport& report) {
  const std::string mine(reinterpret_cast<const char*>(report.ids.data()), report.ids.size() * sizeof(int64_t));
  std::vector<int64_t> ids;
  for (const std::string& bytes : gather_all(control_, mine)) {
    const auto* first = reinterpret_cast<const int64_t*>(bytes.data());
    ids.insert(ids.end(), first, first + bytes.size() / sizeof(int64_t));
  }
  emit(Event::Kind::train, report.step, {{"step", report.step}, {"sample_ids", ids}});
}

void Telemetry::record(const Evaluation& evaluation, int64_t step, double epoch) {
  nlohmann::ordered_json values{{"step", step}, {"epoch", epoch}};
  for (const auto& [name, value] : evaluation.metrics.items())
    values["eval_" + name] = value.is_number() ? shown(value.get<double>()) : value;
  values["eval_runtime"] = evaluation.seconds;
  values["eval_samples_per_second"] = static_cast<double>(evaluation.samples) / evaluation.seconds;
  emit(Event::Kind::evaluation, step, std::move(values));
  line_watch_.restart();
  line_samples_ = line_tokens_ = 0;  // the pause is no part of the training rate
}

// What cannot be written is told and lost, as a sink's is.
void Telemetry::leave_trace() {
  const std::vector<std::string> of_ranks = gather_all(control_, chrome_events(timeline::stop(), control_.rank()));
  if (control_.rank() != 0) return;
  try {
    write_atomically(real_files(), settings_.trace_path, chrome_trace(of_ranks));
    log::info(concat("trace: ", settings_.trace_path, "  (open it in ui.perfetto.dev)"));
  } catch (const StorageError& error) {
    log::warn(concat("no trace: ", error.what()));
  }
}

void Telemetry::summarize(const nlohmann::ordered_json& values, int64_t step) {
  if (std::exchange(updates_to_trace_, 0) > 0) leave_trace();
  emit(Event::Kind::summary, step, values);
}

void Telemetry::emit(Event::Kind kind, int64_t step, nlohmann::ordered_json values) {
  if (sinks_.empty()) return;
  const Event event{kind, step, settings_.total_steps, std::move(values)};
  for (const Sink& sink : sinks_) sink(event);
}

}  // namespace sft
