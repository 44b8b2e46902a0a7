// A model directory with a tokenizer of one token a character, <|im_start|>, <|im_end|> and <eos>, a chat template and
// nothing to train: what rows are made with.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "data/prepare/prepare.h"
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

class ChatModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::temp_directory_path() / concat("sft-chat-", info->name(), "-", ::getpid());
    fs::create_directories(directory_);
    write("tokenizer.json", character_tokenizer().dump());
    write("tokenizer_config.json", R"({"eos_token": "<eos>", "bos_token": "<bos>"})");
    write("config.json", R"({"eos_token_id": 2, "vocab_size": 200, "max_position_embeddings": 1000})");
    write("chat_template.jinja", kChatMl);
    request_.output_directory = directory_ / "prepared";
    request_.task = "causal_lm";
    config_.max_length = 2048;
    config_.truncation = "drop";
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content) {
    std::ofstream(directory_ / name, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
    return directory_ / name;
  }

  virtual PrepareReport run(const Peers& peers = alone()) {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return prepare_shards(request_, config_, *causal_lm_recipe(request_, config_, tokenizer.get()), peers);
  }

  PrepareReport prepare_lines(const std::string& lines, const std::string& name = "rows.jsonl") {
    request_.files = {write(name, lines)};
    return run();
  }

  PrepareReport prepare(const std::vector<json>& rows, const std::string& name = "rows.jsonl") {
    std::string lines;
    for (const json& row : rows) lines += row.dump() + "\n";
    return prepare_lines(lines, name);
  }

  // Samples as text, what is trained between [[ and ]].
  std::vector<std::string> marked(const PrepareReport& report) const {
    const auto tokenizer = Tokenizer::from_directory(directory_);
    const auto dataset = open_dataset(report.shards);
    std::vector<std::string> out;
    for (int64_t i = 0; i < dataset->size(); ++i) {
      Batch one(dataset->schema());
      dataset->append(i, one);
      const auto tokens = std::as_const(one).at(causal::kTokens).as<int32_t>();
      const auto spans = std::as_const(one).at(causal::kSpans).as<int32_t>();
      std::string& text = out.emplace_back();
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
    }
    return out;
  }

  std::vector<std::string> marked(const std::vector<json>& rows) { return marked(prepare(rows)); }
  std::string marked(const json& row) { return marked(std::vector<json>{row}).at(0); }

  // The exit code and what is said, paths without the directory.
  std::string error_of(const std::vector<json>& rows) {
    std::string lines;
    for (const json& row : rows) lines += row.dump() + "\n";
    return error_of_lines(lines);
  }

  std::string error_of_lines(const std::string& lines) {
    try {
      prepare_lines(lines);
    } catch (const Error& error) {
      std::string message = concat(static_cast<int>(error.code()), ": ", error.what());
      const std::string prefix = directory_.string() + "/";
      for (size_t at; (at = message.find(prefix)) != message.npos;) message.erase(at, prefix.size());
      return message;
    }
    return "nothing was thrown";
  }

  static json turn(const char* role, const char* content) { return {{"role", role}, {"content", content}}; }
  static json chat(const std::vector<json>& messages) { return {{"messages", messages}}; }

  fs::path directory_;
  PrepareRequest request_;
  DataConfig config_;
};

}  // namespace sft
