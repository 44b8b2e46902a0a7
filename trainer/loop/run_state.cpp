#include "trainer/loop/run_state.h"

#include <cmath>

namespace sft {

// Keys that transformers' TrainerState has are spelled as there.
nlohmann::json to_json(const RunState& state, double epoch) {
  nlohmann::json json{
      {"global_step", state.step},
      {"epoch", epoch},
      {"cursor", {{"seed", state.cursor.seed}, {"epoch", state.cursor.epoch}, {"position", state.cursor.position}}},
      {"samples", state.samples},
      {"num_input_tokens_seen", state.tokens},
      {"skipped_updates", state.skipped_updates},
      {"not_finite_in_a_row", state.not_finite_in_a_row},
      {"seconds", state.seconds},
      {"window",
       {{"loss_sum", state.window.loss_sum}, {"weight", state.window.weight}, {"updates", state.window.updates}}},
      {"best_metric", nullptr},
      {"best_metric_measured_by", state.best_measured_by},
      {"best_global_step", state.best_step},
      {"best_model_checkpoint", state.best_checkpoint},
      {"evaluations", state.evaluations},
      {"evaluations_without_gain", state.evaluations_without_gain},
      {"schedule", state.schedule},
      {"last_evaluation", state.last_evaluation}};
  if (state.best_metric) json["best_metric"] = *state.best_metric;
  return json;
}

RunState run_state_from(const nlohmann::json& json) {
  RunState state;
  state.step = json.at("global_step");
  const auto& cursor = json.at("cursor");
  state.cursor = {cursor.at("seed"), cursor.at("epoch"), cursor.at("position")};
  state.samples = json.at("samples");
  state.tokens = json.at("num_input_tokens_seen");
  state.skipped_updates = json.at("skipped_updates");
  state.not_finite_in_a_row = json.at("not_finite_in_a_row");
  state.seconds = json.at("seconds");
  const auto& window = json.at("window");
  state.window = {window.at("loss_sum").is_number() ? window.at("loss_sum").get<double>() : std::nan(""),
                  window.at("weight"), window.at("updates")};
  if (json.at("best_metric").is_number()) state.best_metric = json.at("best_metric").get<double>();
  state.best_measured_by = json.value("best_metric_measured_by", "");
  state.best_step = json.value("best_global_step", int64_t{0});  // earlier builds kept none
  state.best_checkpoint = json.at("best_model_checkpoint");
  state.evaluations = json.value("evaluations", int64_t{0});  // earlier builds kept none
  state.evaluations_without_gain = json.at("evaluations_without_gain");
  state.schedule = json.at("schedule");
  state.last_evaluation = json.at("last_evaluation");
  return state;
}

}  // namespace sft
