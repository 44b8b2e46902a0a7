#include "base/config_file.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/field_value.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/toml.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// What `include` names, relative to the file that says so.
StringList included_files(const Setting& include, const std::string& file) {
  StringList bases;
  const BoundField field{"", FieldInfo{"include", "", Path{}, {}, true}, &bases};
  assign(field, include.value, {include.place, "include", ""});
  for (std::string& base : bases) {
    base = (fs::path(file).parent_path() / base).string();
    std::error_code ignored;
    if (!fs::is_regular_file(base, ignored))
      throw ConfigError(concat(include.place, ": include: there is no file ", in_quotes(base, 400)));
  }
  return bases;
}

// `above` are the files whose includes led here.
void load_layers(const BoundFields& fields, const std::string& file, std::vector<fs::path> above, Origins& origins) {
  const auto opens = [&](const std::string& key) {
    return is_section(fields, key) || std::ranges::any_of(fields, [&](const BoundField& field) {
             return holds_table(field) && field.key() == key;
           });
  };
  std::vector<Setting> settings = read_toml(file, opens);

  std::error_code ignored;
  above.push_back(fs::weakly_canonical(file, ignored));
  const auto include = std::ranges::find(settings, std::vector<std::string>{"include"}, &Setting::path);
  if (include != settings.end()) {
    for (const std::string& base : included_files(*include, file)) {
      if (std::ranges::find(above, fs::weakly_canonical(base, ignored)) != above.end())
        throw ConfigError(concat(include->place, ": include: ", in_quotes(base, 400), " includes this file in turn"));
      load_layers(fields, base, above, origins);
    }
    settings.erase(include);
  }
  apply(fields, settings, origins);
}

}  // namespace

std::string place_of(const Origins& origins, const std::string& key) {
  const auto found = origins.find(key);
  return found == origins.end() ? "" : found->second.place + ": ";
}

void load_file(const BoundFields& fields, const std::string& path, Origins& origins) {
  load_layers(fields, path, {}, origins);
}

}  // namespace sft
