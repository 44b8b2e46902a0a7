// A parser callback sees every key as it is read; one set of keys for each object that is open.
#include "trainer/checkpoint/strict_json.h"

#include <set>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

using nlohmann::json;

json parse_strict_json(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> open_objects;
  const auto watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > 64) throw DataError(concat(where, ": JSON nested deeper than 64 levels"));
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second)
        throw DataError(concat(where, ": the key ", in_quotes(key), " stands twice"));
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::exception& error) {
    throw DataError(concat(where, ": not valid JSON: ", error.what()));
  }
}

}  // namespace sft
