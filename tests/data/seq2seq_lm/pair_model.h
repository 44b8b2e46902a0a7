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
    put_around({}, {"<eos>"});
    write("config.json", R"({"eos_token_id": 2, "vocab_size": 200})");
    request_.task = "seq2seq_lm";
    config_.max_length = 100;
  }

  // Special tokens around each text.
  void put_around(const std::vector<std::string>& before, const std::vector<std::string>& behind) {
    json tokenizer = character_tokenizer(), parts = json::array(), ids = json::object();
    const auto add = [&](const std::vector<std::string>& tokens) {
      for (const std::string& token : tokens) {
        parts.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
        ids[token] = {{"id", token}, {"ids", {tokenizer["model"]["vocab"][token]}}, {"tokens", {token}}};
      }
    };
    add(before);
    parts.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    add(behind);
    tokenizer["post_processor"] = {
        {"type", "TemplateProcessing"}, {"single", parts}, {"pair", parts}, {"special_tokens", ids}};
    write("tokenizer.json", tokenizer.dump());
  }

  std::unique_ptr<Recipe> recipe(const Tokenizer* tokenizer) const override {
    return seq2seq_lm_recipe(request_, config_, tokenizer);
  }

  // "source<eos> -> target<eos>" of each sample.
  std::vector<std::string> pairs_of(const PrepareReport& report) const {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return each_sample(report, [&](const Batch& one) {
      const auto text = [&](const char* column) { return tokenizer->decode(one.at(column).as<int32_t>()); };
      return text(seq2seq::kTokens) + " -> " + text(seq2seq::kTargetTokens);
    });
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
