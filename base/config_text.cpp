// Configs as TOML and JSON, and what differs between two of them.
#include <algorithm>
#include <map>

#include "base/config_file.h"
#include "base/field_value.h"
#include "base/text.h"
#include "base/toml.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr size_t kWidestColumn = 44;  // wider lines keep their comment, unaligned

// What a field means and, where it is one of a few words, which.
std::string comment_of(const FieldInfo& info) {
  std::vector<std::string> choices;
  for (const std::string_view choice : info.rule.choices)
    if (!choice.empty()) choices.emplace_back(choice);
  return concat(info.help, choices.size() > 1 ? " (" + join(choices, " | ") + ")" : "");
}

// The lines of one section, comments in a column.
std::string section_text(const BoundFields& fields, const std::string& section) {
  std::vector<std::pair<std::string, std::string>> lines;  // with their comments
  size_t column = 0;
  for (const BoundField& field : fields) {
    if (field.section != section) continue;
    lines.emplace_back(concat(field.info.name, " = ", toml_text(value_of(field))), comment_of(field.info));
    if (lines.back().first.size() <= kWidestColumn) column = std::max(column, lines.back().first.size());
  }
  std::string out;
  for (auto& [line, comment] : lines) {
    line.resize(std::max(line.size(), column), ' ');
    out += concat(line, "  # ", comment, "\n");
  }
  return out;
}

json::json_pointer pointer_to(const BoundField& field) {
  json::json_pointer pointer;
  if (!field.section.empty()) pointer /= field.section;
  return pointer / std::string(field.info.name);
}

}  // namespace

std::string to_toml(const BoundFields& fields) {
  std::string out = section_text(fields, "");  // what stands below a [section] belongs to it
  std::vector<std::string> written{""};
  for (const BoundField& field : fields) {
    if (std::ranges::find(written, field.section) != written.end()) continue;
    written.push_back(field.section);
    out += concat(out.empty() ? "[" : "\n[", field.section, "]\n", section_text(fields, field.section));
  }
  return out;
}

json to_json(const BoundFields& fields) {
  json out = json::object();
  for (const BoundField& field : fields) out[pointer_to(field)] = value_of(field);
  return out;
}

void from_json(const BoundFields& fields, const json& values) {
  for (BoundField field : fields) {
    const auto pointer = pointer_to(field);
    if (!values.contains(pointer)) continue;
    field.info.rule = Rule{};  // it was accepted when it was written, and its paths are expanded
    field.info.built = true;
    if (Table* const* table = std::get_if<Table*>(&field.value)) **table = Table::object();
    assign(field, values.at(pointer), {"", field.key(), ""});
  }
}

std::vector<Difference> differences(const BoundFields& before, const BoundFields& after) {
  std::map<std::string, std::string> texts;
  for (const BoundField& field : after) texts[field.key()] = toml_text(value_of(field));
  std::vector<Difference> found;
  for (const BoundField& field : before) {
    const std::string text = toml_text(value_of(field));
    if (texts[field.key()] != text) found.push_back({field.key(), text, texts[field.key()]});
  }
  return found;
}

}  // namespace sft
