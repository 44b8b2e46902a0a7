// Small files of a model directory that say how texts are to be read: tokenizer_config.json and its like.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sft {

// The content of a file; "" where there is none.
std::string content_of(const std::string& path);

// The object in DIRECTORY/FILE, an empty one where there is no such file. DataError where it holds none.
nlohmann::json object_of(const std::string& directory, const std::string& file);

// The tokens that tokenizer_config.json names (special_tokens_map.json where it names none): "eos_token" → "</s>".
// They are what transformers' special_tokens_map has: one that neither
// file has is the default of the tokenizer's class (GPT2Tokenizer, Qwen2Tokenizer, LlamaTokenizer) where it is a word.
nlohmann::json special_tokens_of(const std::string& directory);

}  // namespace sft
