// Raw files in a directory of their own, prepared with a tokenizer of letters and digits.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/rows_fixture.h"
#include "data/samples/dataset.h"
#include "support/ranks.h"
#include "support/texts.h"
#include "trainer/tasks/text_classification/recipe.h"
#include "trainer/tasks/token_classification/recipe.h"

namespace sft {

// Of these labels, as JSON has them.
inline std::string json_rows(const std::vector<std::string>& labels) {
  std::string out;
  for (const std::string& label : labels) out += concat("{\"text\":\"a\",\"label\":", label, "}\n");
  return out;
}

class PrepareTest : public RowsTest {
 protected:
  void SetUp() override {
    RowsTest::SetUp();
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) vocabulary += concat(c, "\n##", c, "\n");
    for (char c = '0'; c <= '9'; ++c) vocabulary += concat(c, "\n##", c, "\n");
    write("vocab.txt", vocabulary);
    tokenizer_ = Tokenizer::from_directory(directory_);
  }

  PrepareReport run_on(const Peers& peers) {
    const auto recipe =
        request_.task == "token_classification" ? token_classification_recipe : text_classification_recipe;
    return prepare_shards(request_, config_, *recipe(request_, config_, tokenizer_.get()), peers);
  }

  PrepareReport run(int ranks = 1) {
    tokenizer_->set_truncation(config_.max_length, config_.truncation);
    if (ranks == 1) return run_on(alone());
    std::vector<PrepareReport> reports(static_cast<size_t>(ranks));
    on_ranks(ranks, [&](const Peers& peers) { reports[static_cast<size_t>(peers.self.index)] = run_on(peers); });
    for (const PrepareReport& report : reports) EXPECT_EQ(report.shards, reports[0].shards);
    return reports[0];
  }

  // Of one file: what prepare says of it, paths without the directory.
  std::string error_of(const std::string& name, std::string_view content, int ranks = 1) {
    request_.files = {write(name, content)};
    return error(ranks);
  }

  std::string error(int ranks = 1) {
    return error_in([&] { run(ranks); });
  }

  std::vector<Text> examples(const PrepareReport& report) {
    const auto dataset = open_dataset(report.shards);
    std::vector<Text> out(static_cast<size_t>(dataset->size()));
    for (int64_t i = 0; i < dataset->size(); ++i) out[static_cast<size_t>(i)] = text_of(*dataset, i);
    return out;
  }

  // The texts again, without spaces between words: each token is a letter or a digit.
  std::vector<std::string> texts(const PrepareReport& report) {
    std::vector<std::string> out;
    const auto vocabulary = nlohmann::json::parse(tokenizer_->to_json())["model"]["vocab"];
    std::map<int32_t, std::string> pieces;
    for (const auto& [token, id] : vocabulary.items()) pieces[id] = token.size() > 1 ? token.substr(2) : token;
    for (const Text& example : examples(report)) {
      std::string text;
      for (const int32_t id : example.tokens) text += id > 4 ? pieces[id] : "";
      out.push_back(text);
    }
    return out;
  }

  std::vector<int64_t> labels(const PrepareReport& report) {
    std::vector<int64_t> out;
    for (const Text& example : examples(report)) out.push_back(example.label);
    return out;
  }

  std::unique_ptr<Tokenizer> tokenizer_;
};

}  // namespace sft
