// Rows of chats, instructions and pairs of texts, as JSON Lines and as a table, with all that is made of them.
#include <nlohmann/json.hpp>

#include "data/causal_lm/chat_model.h"
#include "data/prepare/prepare.h"
#include "data/samples/dataset.h"
#include "fuzz/input.h"
#include "support/ranks.h"
#include "trainer/tasks/causal_lm/recipe.h"
#include "trainer/tasks/seq2seq_lm/recipe.h"

namespace {

using namespace sft;

const Tokenizer& tokenizer() {
  static const auto one = [] {
    fuzz::folder().put("tokenizer.json", character_tokenizer().dump());
    fuzz::folder().put("tokenizer_config.json", R"({"eos_token": "<eos>"})");
    fuzz::folder().put("config.json", R"({"eos_token_id": 2, "vocab_size": 200, "max_position_embeddings": 1000})");
    fuzz::folder().put("chat_template.jinja", kChatMl);
    return Tokenizer::from_directory(fuzz::folder().path());
  }();
  return *one;
}

template <class MakeRecipe>
void prepare(const std::string& rows, const char* task, const char* on_bad_row, const MakeRecipe& make_recipe) {
  fuzz::allow_errors([&] {
    PrepareRequest request{.files = {rows}, .output_directory = fuzz::folder().path() + "/prepared", .task = task};
    DataConfig config;
    config.max_length = 64;
    config.truncation = "drop";
    config.on_bad_row = on_bad_row;
    const PrepareReport report = prepare_shards(request, config, *make_recipe(request, config, &tokenizer()), alone());
    const auto dataset = open_dataset(report.shards);
    if (dataset->size() != report.num_samples) __builtin_trap();
    for (int64_t i = 0; i < dataset->size(); ++i) {
      Batch one(dataset->schema());
      dataset->append(i, one);
    }
  });
  std::filesystem::remove_all(fuzz::folder().path() + "/prepared");
}

}  // namespace

SFT_FUZZ(input) {
  if (input.empty()) return;
  const bool is_table = (input.front() & 1) != 0;
  const char* on_bad_row = (input.front() & 2) != 0 ? "skip" : "error";
  const std::string rows = fuzz::folder().put(is_table ? "rows.tsv" : "rows.jsonl", input.substr(1));
  prepare(rows, "causal_lm", on_bad_row, causal_lm_recipe);
  prepare(rows, "seq2seq_lm", on_bad_row, seq2seq_lm_recipe);
}
