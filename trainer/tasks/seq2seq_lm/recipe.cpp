#include "trainer/tasks/seq2seq_lm/recipe.h"

#include "base/errors.h"

namespace sft {

std::unique_ptr<Recipe> seq2seq_lm_recipe(const PrepareRequest&, const DataConfig&, const Tokenizer*) {
  throw ConfigError("model.task = \"seq2seq_lm\": raw rows are not read yet; data.train_file names shards");
}

std::vector<int32_t> seq2seq_lm_stop_tokens(const DataConfig&, const Tokenizer&) { return {}; }

}  // namespace sft
