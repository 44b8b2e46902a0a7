// The config of a small model of each family. Dropout falls in all that have it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace sft::equivalence {

constexpr int64_t kVocab = 97, kLongest = 20;  // words, and tokens of a text

nlohmann::json tiny_bert();
nlohmann::json tiny_roberta();
nlohmann::json tiny_distilbert();
nlohmann::json tiny_modernbert();
nlohmann::json tiny_electra();
nlohmann::json tiny_albert();  // all blocks share their weights
nlohmann::json tiny_xlnet();   // distances end below the longest text
nlohmann::json tiny_deberta_v2();
nlohmann::json tiny_llama(const char* family);  // "llama", "mistral", "qwen2", "qwen3"
nlohmann::json tiny_gpt2();
nlohmann::json tiny_t5(const char* family);  // "t5", "mt5"
nlohmann::json tiny_marian();
nlohmann::json tiny_resnet();
nlohmann::json tiny_keras();
nlohmann::json tiny_vgg(bool batch_norm);
nlohmann::json tiny_vit();  // of pictures of 12 × 12
nlohmann::json tiny_dinov2();
nlohmann::json tiny_segformer();  // of pictures of 16 × 16
nlohmann::json tiny_yolos();      // of pictures of any size; its positions are of 12 × 8

}  // namespace sft::equivalence
