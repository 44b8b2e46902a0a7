#include "trainer/models/keras/layer_config.h"

#include <algorithm>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {

using nlohmann::json;

namespace {

bool is_between(const json& value, int64_t least, int64_t most) {
  return value.is_number_integer() && value >= least && value <= most;
}

std::string between(int64_t least, int64_t most) { return concat("an integer from ", least, " to ", most); }

}  // namespace

const json& LayerConfig::raw(const char* key) const {
  static const json nothing;
  const auto found = layer_.config.find(key);
  return found == layer_.config.end() ? nothing : *found;
}

int64_t LayerConfig::integer(const char* key, int64_t least, int64_t most) const {
  if (!is_between(raw(key), least, most)) refuse(key, between(least, most));
  return raw(key).get<int64_t>();
}

int64_t LayerConfig::integer(const char* key, int64_t otherwise, int64_t least, int64_t most) const {
  return raw(key).is_null() ? otherwise : integer(key, least, most);
}

std::array<int64_t, 2> LayerConfig::pair(const char* key, int64_t otherwise, int64_t least, int64_t most) const {
  const json& value = raw(key);
  if (value.is_null()) return {otherwise, otherwise};
  if (is_between(value, least, most)) return {value.get<int64_t>(), value.get<int64_t>()};
  const bool good =
      value.is_array() && value.size() == 2 && is_between(value[0], least, most) && is_between(value[1], least, most);
  if (!good) refuse(key, concat(between(least, most), ", or two of them"));
  return {value[0].get<int64_t>(), value[1].get<int64_t>()};
}

double LayerConfig::number(const char* key, double otherwise) const {
  const json& value = raw(key);
  if (value.is_null()) return otherwise;
  if (!value.is_number()) refuse(key, "a number");
  return value.get<double>();
}

bool LayerConfig::flag(const char* key, bool otherwise) const {
  const json& value = raw(key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) refuse(key, "true or false");
  return value.get<bool>();
}

std::string LayerConfig::word(const char* key, std::initializer_list<const char*> known) const {
  const json& value = raw(key);
  if (value.is_null()) return *known.begin();
  for (const char* one : known)
    if (value == one) return one;
  refuse(key, join(std::vector<std::string>(known.begin(), known.end()), " or "));
}

void LayerConfig::require_channels_last() const {
  if (raw("data_format").is_null() || raw("data_format") == "channels_last") return;
  refuse_setting(
      concat("data_format ", in_quotes(raw("data_format").dump()), " is not built; save the model with channels_last"));
}

void LayerConfig::require_absent(std::initializer_list<const char*> keys) const {
  for (const char* key : keys) {
    const json& value = raw(key);
    if (!value.is_null() && value != false && value != 0.0)
      refuse_setting(concat(key, " = ", in_quotes(value.dump()), " is not built"));
  }
}

void LayerConfig::refuse_setting(const std::string& why) const { throw ConfigError(concat(layer_.title(), ": ", why)); }

void LayerConfig::refuse(const std::string& why) const { throw DataError(concat(layer_.title(), ": ", why)); }

void LayerConfig::refuse(const char* key, const std::string& wanted) const {
  refuse(concat(key, " must be ", wanted, ", found ", in_quotes(raw(key).dump())));
}

}  // namespace sft::keras
