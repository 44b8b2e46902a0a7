// A model directory with a tokenizer of one token a character, <|im_start|>, <|im_end|> and <eos>, a chat template and
// nothing to train: what rows are made with.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/rows_fixture.h"
#include "data/samples/dataset.h"
#include "data/text/tokenizer.h"
#include "support/ranks.h"
#include "trainer/tasks/causal_lm/recipe.h"
#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft {

namespace fs = std::filesystem;
using nlohmann::json;

// A token is a character of ASCII, but "ab", which is one.
inline json character_tokenizer() {
  json vocabulary = json::object();
  int id = 0;
  for (const char* special : {"<|im_start|>", "<|im_end|>", "<eos>", "<bos>"}) vocabulary[special] = id++;
  for (char c = 32; c < 127; ++c) vocabulary[c == ' ' ? std::string("\u0120") : std::string(1, c)] = id++;
  vocabulary["\u010a"] = id++;  // a line break
  vocabulary["ab"] = id++;
  json added = json::array();
  for (const char* special : {"<|im_start|>", "<|im_end|>", "<eos>", "<bos>"})
    added.push_back({{"id", vocabulary[special]},
                     {"content", special},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocabulary},
            {"merges", json::array({"a b"})}}}};
}

inline constexpr char kChatMl[] =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' "
    "}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

class ChatModel : public RowsTest {
 protected:
  void SetUp() override {
    RowsTest::SetUp();
    write("tokenizer.json", character_tokenizer().dump());
    write("tokenizer_config.json", R"({"eos_token": "<eos>", "bos_token": "<bos>"})");
    write("config.json", R"({"eos_token_id": 2, "vocab_size": 200, "max_position_embeddings": 1000})");
    write("chat_template.jinja", kChatMl);
    request_.task = "causal_lm";
    config_.max_length = 2048;
    config_.truncation = "drop";
  }

  virtual std::unique_ptr<Recipe> recipe(const Tokenizer* tokenizer) const {
    return causal_lm_recipe(request_, config_, tokenizer);
  }

  PrepareReport run(const Peers& peers = alone()) {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return prepare_shards(request_, config_, *recipe(tokenizer.get()), peers);
  }

  PrepareReport prepare_lines(const std::string& lines, const std::string& name = "rows.jsonl") {
    request_.files = {write(name, lines)};
    return run();
  }

  static std::string lines_of(const std::vector<json>& rows) {
    std::string lines;
    for (const json& row : rows) lines += row.dump() + "\n";
    return lines;
  }

  PrepareReport prepare(const std::vector<json>& rows, const std::string& name = "rows.jsonl") {
    return prepare_lines(lines_of(rows), name);
  }

  // Of each sample, what `text` makes of it, a batch of one.
  template <class Text>
  std::vector<std::string> each_sample(const PrepareReport& report, const Text& text) const {
    const auto dataset = open_dataset(report.shards);
    std::vector<std::string> out;
    for (int64_t i = 0; i < dataset->size(); ++i) {
      Batch one(dataset->schema());
      dataset->append(i, one);
      out.push_back(text(std::as_const(one)));
    }
    return out;
  }

  // Samples as text, what is trained between [[ and ]].
  std::vector<std::string> marked(const PrepareReport& report) const {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return each_sample(report, [&](const Batch& one) {
      const auto tokens = one.at(causal::kTokens).as<int32_t>();
      const auto spans = one.at(causal::kSpans).as<int32_t>();
      std::string text;
      size_t at = 0;
      const auto add = [&](size_t end) {
        text += tokenizer->decode(tokens.subspan(at, end - at));
        at = end;
      };
      for (size_t s = 0; s < spans.size(); s += 2) {
        add(static_cast<size_t>(spans[s]));
        text += "[[";
        add(static_cast<size_t>(spans[s + 1]));
        text += "]]";
      }
      add(tokens.size());
      return text;
    });
  }

  std::vector<std::string> marked(const std::vector<json>& rows) { return marked(prepare(rows)); }
  std::string marked(const json& row) { return marked(std::vector<json>{row}).at(0); }

  std::string error_of(const std::vector<json>& rows) { return error_of_lines(lines_of(rows)); }

  std::string error_of_lines(const std::string& lines) {
    return error_in([&] { prepare_lines(lines); });
  }

  static json turn(const char* role, const char* content) { return {{"role", role}, {"content", content}}; }
  static json chat(const std::vector<json>& messages) { return {{"messages", messages}}; }
};

}  // namespace sft
