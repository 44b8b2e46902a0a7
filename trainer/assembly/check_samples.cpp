#include "trainer/assembly/check_samples.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "base/errors.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {

void check_tokenizer(const Dataset& dataset, const TaskKind& task, const Tokenizer* tokenizer,
                     const std::string& split) {
  const bool images = dataset.schema().find("tokens") == nullptr;
  if (images != (task.takes == Takes::pictures))
    throw ConfigError(concat("data.", split, "_file holds ", images ? "images" : "texts", ", and the task takes ",
                             images ? "texts" : "images"));
  if (images) return;
  const std::string& made_by = dataset.info().tokenizer_sha256;
  if (!made_by.empty() && made_by != tokenizer->sha256())
    throw DataError(concat("data.", split, "_file was prepared with another tokenizer than the model's (sha256 ",
                           made_by.substr(0, 12), "… against ", tokenizer->sha256().substr(0, 12),
                           "…); prepare it again from the raw file"));
}

void check_width(const Schema& schema, const std::string& file, const Labels& labels) {
  const int64_t found = target_count(schema);
  const auto known = static_cast<int64_t>(labels.names.size());
  const bool has_width = labels.problem_type == kLabelSet || labels.problem_type == kRealNumbers;
  if (has_width && found != known)
    throw DataError(concat(file, " has ", found, " targets a row, and training has ", known));
  if (found > known)
    throw DataError(concat(file, " holds label ", found - 1, ", and training knows only ", known, " labels"));
}

void check_row_keys(const Dataset& samples, const LoadedConfig& loaded) {
  const DataConfig& data = loaded.config.data;
  const auto is_set = [&](const char* key) { return loaded.origins.contains(key); };
  const auto refuse = [&](const char* key, const std::string& why) {
    throw ConfigError(concat(place_of(loaded.origins, key), key, why));
  };
  if (is_set("data.weight_column") && !data.weight_column.empty() && !samples.info().has_weights)
    refuse("data.weight_column",
           concat(" is ", in_quotes(data.weight_column),
                  ", and the samples of data.train_file have no weights: rows get "
                  "theirs when they are prepared, and a padded HDF5 file has them in 'weights' or 'sample_weight'"));
  // Of samples with a source and a target, lengths are those of both together.
  const bool has_one_text = samples.schema().find("tokens") != nullptr && samples.schema().units.size() == 1;
  if (!has_one_text || samples.info().max_length <= data.max_length) return;
  int64_t longest = 0;
  for (int64_t i = 0; i < samples.size(); ++i, beat()) longest = std::max(longest, samples.length(i));
  if (longest <= data.max_length) return;
  const std::string why =
      concat(" is ", data.max_length,
             ", and samples of data.train_file, which are not cut any more, "
             "have up to ",
             longest, " tokens; set it to ", longest, ", so that rows are read later as these were");
  if (is_set("data.max_length")) refuse("data.max_length", why);
  log::warn_once(concat("data.max_length", why));
}

StringList row_keys_without_effect(const LoadedConfig& loaded) {
  StringList warnings;
  for (const char* key : {"data.text_column", "data.text_pair_column", "data.label_column", "data.group_column",
                          "data.truncation", "data.on_bad_row"})
    if (loaded.origins.contains(key))
      warnings.push_back(
          concat(place_of(loaded.origins, key), key,
                 " has no effect on training: data.train_file holds samples, which were prepared before"));
  return warnings;
}

void check_num_labels(const LoadedConfig& loaded, const Labels& labels) {
  const int64_t wanted = loaded.config.model.num_labels;
  const auto found = static_cast<int64_t>(labels.names.size());
  if (wanted != 0 && wanted != found)
    throw ConfigError(concat(place_of(loaded.origins, "model.num_labels"), "model.num_labels is ", wanted,
                             ", and the training data has ", found, " labels; 0 takes them from the data"));
}

}  // namespace sft
