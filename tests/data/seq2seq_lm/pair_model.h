// A model directory whose tokenizer puts <eos> behind each text, and samples of pairs as text.
#pragma once

#include "data/causal_lm/chat_model.h"
#include "trainer/tasks/seq2seq_lm/recipe.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft {

class PairModel : public ChatModel {
 protected:
  void SetUp() override {
    ChatModel::SetUp();
    json tokenizer = character_tokenizer();
    const json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    const json end = {{"SpecialToken", {{"id", "<eos>"}, {"type_id", 0}}}};
    const json ids = {{"<eos>", {{"id", "<eos>"}, {"ids", {2}}, {"tokens", {"<eos>"}}}}};
    tokenizer["post_processor"] = {
        {"type", "TemplateProcessing"}, {"single", {text, end}}, {"pair", {text, end}}, {"special_tokens", ids}};
    write("tokenizer.json", tokenizer.dump());
    write("config.json", R"({"eos_token_id": 2, "vocab_size": 200})");
    request_.task = "seq2seq_lm";
    config_.max_length = 100;
  }

  PrepareReport run(const Peers& peers = alone()) override {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return prepare_shards(request_, config_, *seq2seq_lm_recipe(request_, config_, tokenizer.get()), peers);
  }

  // "source<eos> -> target<eos>" of each sample.
  std::vector<std::string> pairs_of(const PrepareReport& report) const {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    const auto dataset = open_dataset(report.shards);
    std::vector<std::string> out;
    for (int64_t i = 0; i < dataset->size(); ++i) {
      Batch one(dataset->schema());
      dataset->append(i, one);
      const auto text = [&](const char* column) {
        return tokenizer->decode(std::as_const(one).at(column).as<int32_t>());
      };
      out.push_back(text(seq2seq::kTokens) + " -> " + text(seq2seq::kTargetTokens));
    }
    return out;
  }

  static json pair(const char* source, const char* target) { return {{"source", source}, {"target", target}}; }

  // What the report says of rows that it counted.
  static std::string told(const PrepareReport& report, const std::string& part) {
    for (const auto& [what, note] : report.notes)
      if (what.find(part) != what.npos)
        return concat(note.num_rows, " ", what, ": ", fs::path(note.first).filename().string());
    return "";
  }
};

}  // namespace sft
