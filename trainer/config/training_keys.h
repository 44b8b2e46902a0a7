// Which settings alter what is learned: those that a resumed run must not change.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "trainer/config/run_config.h"

namespace sft {

// An absurd number of updates; products with it stay in 64 bits.
inline constexpr int64_t kMostUpdates = int64_t{1} << 40;
inline constexpr int64_t kMostRows = int64_t{1} << 30;  // of an update

// The config without what only changes speed, reporting, evaluation, saving or how long training goes on;
// the global batch size as resolved, and the training data by its fingerprint.
nlohmann::json training_keys(const RunConfig& config, int64_t global_batch_size, const std::string& data_fingerprint);

// ConfigError listing each key with both values, where they differ; `trained` is what was trained with those before: a
// checkpoint's or a run's directory.
void check_same_training(const nlohmann::json& before, const nlohmann::json& now, const std::string& trained);

// ConfigError where `trained` has made more updates than are asked for now: nothing takes an update back.
void check_not_shorter(int64_t made, int64_t asked, const std::string& trained);

}  // namespace sft
