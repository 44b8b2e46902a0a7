// Settings of generation that the config leaves open: taken from the model's generation_config.json, then from the
// defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/tasks/generate_config.h"

namespace sft {

// Keys that are not among `origins` ("generate.top_p") take the model's own values. Settings of the model that are not
// supported here are left out; DataError naming file and key of one whose value is impossible. Answers end at the
// eos_token_id of generation_config.json or config.json, and at `trained`, the tokens that end trained answers.
GenerateConfig settled(const GenerateConfig& asked, const Origins& origins, const ModelDirectory& model,
                       const std::vector<int32_t>& trained = {});

// generation_config.json of a model that stops at these tokens: the one in `from`, or where there is none what its
// config.json says of generation, with the tokens set. `start_id`: what targets begin with, of a model that has some.
std::string generation_config(const ModelDirectory& from, const GenerateConfig& config,
                              std::optional<int64_t> start_id = {});

}  // namespace sft
