// The settings of one layer as its config has them, each read where it is used.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "trainer/models/keras/graph.h"

namespace sft::keras {

// Readers throw a DataError that names the layer, the key, what is wanted and what was found.
class LayerConfig {
 public:
  explicit LayerConfig(const GraphLayer& layer) : layer_(layer) {}

  int64_t integer(const char* key, int64_t least, int64_t most) const;
  int64_t integer(const char* key, int64_t otherwise, int64_t least, int64_t most) const;
  // One integer, or a list of two: along height and along width.
  std::array<int64_t, 2> pair(const char* key, int64_t otherwise, int64_t least, int64_t most) const;
  double number(const char* key, double otherwise) const;
  bool flag(const char* key, bool otherwise) const;
  // One of `known`; absent or null: the first of them.
  std::string word(const char* key, std::initializer_list<const char*> known) const;
  // Null where it is absent.
  const nlohmann::json& raw(const char* key) const;

  // ConfigError where the layer reads its channels anywhere but last.
  void require_channels_last() const;
  // ConfigError where a key is set to what is not built.
  void require_absent(std::initializer_list<const char*> keys) const;

  [[noreturn]] void refuse_setting(const std::string& why) const;  // a ConfigError
  [[noreturn]] void refuse(const std::string& why) const;
  [[noreturn]] void refuse(const char* key, const std::string& wanted) const;

 private:
  const GraphLayer& layer_;
};

}  // namespace sft::keras
