// Whether opened samples fit the task, the tokenizer and the labels of a run.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comm/communicator.h"
#include "data/samples/dataset.h"
#include "data/text/tokenizer.h"
#include "trainer/config/run_config.h"
#include "trainer/tasks/tasks.h"

namespace sft {

// ConfigError where samples of data.<split>_file are pictures and the task takes texts, or the other way about;
// DataError where they are tokens of another tokenizer, whose ids would mean other words. `tokenizer`: null where the
// task takes pictures.
void check_tokenizer(const Dataset& dataset, const TaskKind& task, const Tokenizer* tokenizer,
                     const std::string& split);

// DataError where samples of `file` have other targets than training has labels.
void check_width(const Schema& schema, const std::string& file, const Labels& labels);

// Of keys that say how rows are read, where training takes samples that were prepared before. ConfigError where the
// user asks for weights that the samples do not have, or for less tokens than they have: the model would be served
// other rows than it was trained on.
void check_row_keys(const Dataset& samples, const LoadedConfig& loaded);

// A warning for each such key that the user set and that changes nothing then.
StringList row_keys_without_effect(const LoadedConfig& loaded);

// ConfigError where model.num_labels is another number than the training data has.
void check_num_labels(const LoadedConfig& loaded, const Labels& labels);

}  // namespace sft
