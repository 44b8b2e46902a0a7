#include "trainer/model_files/parse_json.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft {

nlohmann::json parse_json(const std::string& text, const std::string& path) {
  constexpr int kMostLevels = 64;
  const auto shallow = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMostLevels) throw DataError(concat(path, ": nested deeper than ", kMostLevels, " levels"));
    return true;
  };
  return nlohmann::json::parse(text, shallow, /*allow_exceptions=*/false);
}

}  // namespace sft
