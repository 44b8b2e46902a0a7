#include "trainer/models/blocks/config_reader.h"

#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

using nlohmann::json;

const json& ConfigReader::value(const char* key, json otherwise) {
  return content_.emplace(key, std::move(otherwise)).first.value();
}

int64_t ConfigReader::count(const char* key, int64_t otherwise, int64_t least, int64_t most) {
  const json& found = value(key, otherwise);
  if (!found.is_number_integer() || found < least || found > most)
    refuse(key, concat("an integer from ", least, " to ", most));
  return found.get<int64_t>();
}

double ConfigReader::number(const char* key, double otherwise, double below, const char* wanted) {
  const json& found = value(key, otherwise);
  if (!found.is_number() || !(found.get<double>() >= 0 && found.get<double>() < below)) refuse(key, wanted);
  return found.get<double>();
}

double ConfigReader::rate(const char* key, double otherwise) {
  return number(key, otherwise, 1.0, "a rate from 0 to below 1");
}

bool ConfigReader::flag(const char* key, bool otherwise) {
  const json& found = value(key, otherwise);
  if (!found.is_boolean()) refuse(key, "true or false");
  return found.get<bool>();
}

Activation ConfigReader::activation(const char* key, const char* otherwise) {
  const json& found = value(key, otherwise);
  if (!found.is_string()) refuse(key, "a name");
  return activation_named(found.get<std::string>(), key);
}

int64_t ConfigReader::row(const char* key, int64_t otherwise, int64_t rows) {
  const int64_t found = count(key, otherwise, 0);
  if (found >= rows) refuse(key, concat("below vocab_size (", rows, ")"));
  return found;
}

int64_t ConfigReader::row_or_none(const char* key, int64_t otherwise, int64_t rows) {
  return content_.contains(key) && !has(key) ? -1 : row(key, otherwise, rows);
}

bool ConfigReader::has(const char* key) const { return content_.contains(key) && !content_[key].is_null(); }

void ConfigReader::refuse_unless_false(const char* key, const std::string& wanted) const {
  if (has(key) && content_[key] != false) refuse(key, wanted);
}

void ConfigReader::refuse(const char* key, const std::string& wanted) const {
  throw ConfigError(concat("config.json: ", key, " must be ", wanted, ", found ", content_[key].dump()));
}

}  // namespace sft
