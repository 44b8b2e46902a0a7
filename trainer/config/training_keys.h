// Which settings alter what is learned: those that a resumed run must not change.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/config/run_config.h"

namespace sft {

// The config without what only changes speed, reporting, evaluation, saving or how long training goes on;
// the global batch size as resolved, and the training data by its fingerprint.
nlohmann::json training_keys(const RunConfig& config, int64_t global_batch_size, const std::string& data_fingerprint);

// ConfigError listing each key with both values, where they differ.
void check_same_training(const nlohmann::json& before, const nlohmann::json& now, const std::string& checkpoint);

}  // namespace sft
