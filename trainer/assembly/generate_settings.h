// How a model goes on from prompts where the config leaves it open: as its generation_config.json says, then by the
// defaults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config_file.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/tasks/generate_config.h"

namespace sft {

// Keys that are not among `origins` ("generate.top_p") take the model's own values. Its settings that are not built,
// such as num_beams above 1, are left out. eos_token_id is that of generation_config.json or config.json, and
// `trained`, the tokens that end what is learned.
GenerateConfig settled(const GenerateConfig& asked, const Origins& origins, const ModelDirectory& model,
                       const std::vector<int32_t>& trained = {});

// generation_config.json of a model that stops at these tokens: the one of `from`, where it has one, with them.
std::string generation_config(const ModelDirectory& from, const GenerateConfig& config);

}  // namespace sft
