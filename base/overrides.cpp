// Command-line overrides as settings.
#include <algorithm>

#include "base/config_file.h"
#include "base/errors.h"
#include "base/settings.h"
#include "base/text.h"
#include "base/toml.h"

namespace sft {
namespace {

constexpr const char* kPlace = "command line";

[[noreturn]] void refuse_usage(const std::string& message) { throw Error(ExitCode::usage, message); }

std::vector<std::string> split_at_dots(const std::string& name) {
  std::vector<std::string> parts{""};
  for (const char letter : name) {
    if (letter == '.')
      parts.emplace_back();
    else
      parts.back() += letter;
  }
  return parts;
}

// The path of a name whose section may be left out.
std::vector<std::string> resolve(const BoundFields& fields, const std::string& name) {
  if (name.find('.') != std::string::npos) return split_at_dots(name);
  std::vector<std::string> candidates;
  for (const BoundField& field : fields) {
    if (!is_called(field, name)) continue;
    if (field.section.empty()) return {name};
    candidates.push_back(field.section + '.' + name);
  }
  if (candidates.size() > 1)
    throw ConfigError(
        concat(kPlace, ": ", in_quotes(name), " could be ", join(candidates, " or "), "; write one of them in full"));
  return candidates.empty() ? std::vector<std::string>{name} : split_at_dots(candidates.front());
}

// nullptr: there is none, which is told when all arguments are read.
const BoundField* find(const BoundFields& fields, const std::vector<std::string>& path) {
  const std::string section = join({path.begin(), path.end() - 1}, ".");
  const auto field = std::ranges::find_if(
      fields, [&](const BoundField& each) { return each.section == section && is_called(each, path.back()); });
  return field == fields.end() ? nullptr : &*field;
}

// Whether its `--name` may stand without a value.
bool is_flag(const BoundField& field) {
  return std::holds_alternative<bool*>(field.value) || std::holds_alternative<AutoBool*>(field.value);
}

Setting setting(std::vector<std::string> path, const std::string& words) {
  if (!is_valid_utf8(words))
    throw ConfigError(concat(kPlace, ": ", join(path, "."), ": ", in_quotes(words), " is not valid UTF-8"));
  return {std::move(path), parse_toml_value(words), kPlace, words};
}

}  // namespace

void apply_overrides(const BoundFields& fields, const std::vector<std::string>& arguments, Origins& origins) {
  std::vector<Setting> settings;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const size_t equals = argument.find('=');
    const bool is_option = argument.starts_with("--");
    std::string name = argument.substr(0, equals);
    if (is_option) {
      name.erase(0, 2);
      std::ranges::replace(name, '-', '_');
    }
    if (name.empty() || (!is_option && equals == std::string::npos))
      refuse_usage(concat("unexpected argument ", in_quotes(argument), "; wanted key.path=value or --key value"));

    const std::vector<std::string> path = resolve(fields, name);
    if (equals != std::string::npos) {
      settings.push_back(setting(path, argument.substr(equals + 1)));
      continue;
    }
    const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : "--";
    const BoundField* field = find(fields, path);
    const bool needs_none = field == nullptr ? next.starts_with("--") : is_flag(*field);
    if (needs_none && next != "true" && next != "false" && next != "auto") {
      settings.push_back(setting(path, "true"));
    } else if (next.starts_with("--")) {
      refuse_usage(concat(argument, ": a value is missing; wanted ", argument, " VALUE"));
    } else {
      settings.push_back(setting(path, next));
      ++i;
    }
  }
  apply(fields, settings, origins);
}

}  // namespace sft
