#include "base/settings.h"

#include <algorithm>

#include "base/errors.h"
#include "base/field_value.h"
#include "base/text.h"

namespace sft {
namespace {

// The field that `path` names, or the table field that holds it. `used` is how much names the field.
const BoundField* find(const BoundFields& fields, const std::vector<std::string>& path, size_t& used) {
  std::string section;
  for (used = 1; used <= path.size(); ++used) {
    const std::string& name = path[used - 1];
    for (const BoundField& field : fields)
      if (field.section == section && is_called(field, name) && (used == path.size() || holds_table(field)))
        return &field;
    section += (section.empty() ? "" : ".") + name;
  }
  return nullptr;
}

// What was probably meant by an unknown key: the same name in another section, a near name in this
// one, a near name anywhere. As a dotted key, "" where nothing is near.
std::string meant_by(const BoundFields& fields, const std::string& section, const std::string& name) {
  std::vector<std::string> names, here;
  for (const BoundField& field : fields) {
    names.emplace_back(field.info.name);
    if (field.section == section) here.emplace_back(field.info.name);
    if (section.empty() && !field.section.empty()) here.push_back(field.section);
  }
  const auto key_of = [&](const std::string& found) {
    const auto field = std::ranges::find_if(fields, [&](const BoundField& each) { return is_called(each, found); });
    return field == fields.end() ? "" : field->key();
  };
  if (const std::string same = key_of(name); !same.empty()) return same;
  if (const std::string close = nearest(name, here); !close.empty())
    return (section.empty() ? "" : section + '.') + close;
  return name.size() < 4 ? "" : key_of(nearest(name, names));
}

std::vector<std::string> sections_of(const BoundFields& fields) {
  std::vector<std::string> sections;
  for (const BoundField& field : fields)
    if (!field.section.empty() && std::ranges::find(sections, field.section) == sections.end())
      sections.push_back(field.section);
  return sections;
}

[[noreturn]] void refuse_unknown(const BoundFields& fields, const Setting& setting) {
  const std::string key = join(setting.path, ".");
  if (is_section(fields, key))
    throw ConfigError(concat(setting.place, ": ", key, " is a section: write [", key, "] and its keys below"));
  const std::string section = join({setting.path.begin(), setting.path.end() - 1}, ".");
  if (setting.value.is_object() || (!section.empty() && !is_section(fields, section))) {
    const std::string wanted = section.empty() ? key : section;
    const std::vector<std::string> sections = sections_of(fields);
    const std::string meant = did_you_mean(wanted, sections);
    throw ConfigError(concat(setting.place, ": there is no section ", in_quotes(wanted),
                             meant.empty() ? "; there are " + join(sections, ", ") : meant));
  }
  const std::string meant = meant_by(fields, section, setting.path.back());
  throw UnknownKey(concat(setting.place, ": unknown key ", in_quotes(key),
                          meant.empty() ? "" : " (did you mean " + in_quotes(meant) + "?)"),
                   setting.path.back());
}

}  // namespace

void apply(const BoundFields& fields, const std::vector<Setting>& settings, Origins& origins) {
  Origins here;
  for (const Setting& setting : settings) {
    size_t used = 0;
    const BoundField* field = find(fields, setting.path, used);
    if (field == nullptr) refuse_unknown(fields, setting);
    const std::string& name = setting.path[used - 1];
    const auto [earlier, is_first] = here.insert({field->key(), {setting.place, name}});
    if (!is_first && earlier->second.name != name)
      throw ConfigError(concat(setting.place, ": ", name, " and ", earlier->second.name, " (", earlier->second.place,
                               ") are two names of one setting; give one of them"));

    // An entry of a table arrives alone; as a table of one it is merged with the others.
    nlohmann::json value = setting.value;
    for (size_t i = setting.path.size(); i > used; --i) value = nlohmann::json{{setting.path[i - 1], std::move(value)}};
    const std::string written = join(setting.path, ".");
    assign(*field, std::move(value), {setting.place, escaped(written), setting.words});
    origins[field->key()] = {setting.place, name};
    if (setting.path.size() > used) origins[written] = {setting.place, setting.path.back()};
  }
}

bool is_called(const BoundField& field, std::string_view name) {
  return field.info.name == name || std::ranges::find(field.info.other_names, name) != field.info.other_names.end();
}

bool is_section(const BoundFields& fields, const std::string& name) {
  return std::ranges::any_of(fields, [&](const BoundField& field) { return field.section == name; });
}

bool holds_table(const BoundField& field) { return std::holds_alternative<Table*>(field.value); }

}  // namespace sft
