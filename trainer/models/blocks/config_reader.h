// Reads a model's config.json key by key, fills up the defaults that were used, and refuses by name what does not fit.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "trainer/models/blocks/activation.h"

namespace sft {

class ConfigReader {
 public:
  // Sizes beyond these are mistakes or worse: no model has a table or a layer of that many rows, or as many blocks.
  static constexpr int64_t kMostRows = int64_t{1} << 24;
  static constexpr int64_t kMostBlocks = 4096;

  explicit ConfigReader(nlohmann::json& content) : content_(content) {}

  // Each throws ConfigError with the key, what it wants and what was found.
  int64_t count(const char* key, int64_t otherwise, int64_t least = 1, int64_t most = kMostRows);
  double rate(const char* key, double otherwise);                                      // from 0 to below 1
  double number(const char* key, double otherwise, double below, const char* wanted);  // from 0 to below `below`
  bool flag(const char* key, bool otherwise);
  Activation activation(const char* key, const char* otherwise = "gelu");
  int64_t row(const char* key, int64_t otherwise, int64_t rows);          // an id below `rows`
  int64_t row_or_none(const char* key, int64_t otherwise, int64_t rows);  // −1 where the file says null

  bool has(const char* key) const;  // and not null
  // Absent, null and false are what the network does; anything else is a variant of it that is not built.
  void refuse_unless_false(const char* key, const std::string& wanted) const;
  [[noreturn]] void refuse(const char* key, const std::string& wanted) const;

 private:
  const nlohmann::json& value(const char* key, nlohmann::json otherwise);

  nlohmann::json& content_;
};

}  // namespace sft
