#include "base/key_reference.h"

#include <type_traits>
#include <vector>

#include "base/field_value.h"
#include "base/text.h"
#include "base/toml.h"

namespace sft {
namespace {

std::string choices_of(const Rule& rule) {
  std::vector<std::string> choices;
  for (const std::string_view choice : rule.choices) choices.push_back(in_quotes(choice));
  return join(choices, ", ");
}

// What may be written in place of the default.
std::string accepted(const BoundField& field) {
  const Rule& rule = field.info.rule;
  const std::string words = choices_of(rule), bounds = bounds_of(rule);
  const std::string bounded = bounds.empty() ? "" : ", " + bounds;
  const auto of_type = [&]<class Value>(const Value*) -> std::string {
    if constexpr (std::is_same_v<Value, bool>) return "true, false";
    if constexpr (std::is_same_v<Value, AutoBool>) return "\"auto\", true, false";
    if constexpr (std::is_same_v<Value, int64_t>) return "an integer" + bounded;
    if constexpr (std::is_same_v<Value, double>) return "a number" + bounded;
    if constexpr (std::is_same_v<Value, std::string>)
      return !words.empty() ? words : rule.is_path ? "a path" : "a text";
    if constexpr (std::is_same_v<Value, StringList>)
      return !words.empty() ? "a list of " + words
             : rule.is_path ? "a path or a list of paths"
                            : "a text or a list of texts";
    if constexpr (std::is_same_v<Value, NumberList>) return "a number or a list of numbers" + bounded;
    if constexpr (std::is_same_v<Value, NumberLists>) return "a list of lists of numbers";
    if constexpr (std::is_same_v<Value, Table>) return "a table";
    if constexpr (std::is_same_v<Value, WordOrNumbers>)
      return concat(words, words.empty() ? "" : ", ", "{ name = number, … }");
  };
  return std::visit(of_type, field.value);
}

// What stands beside the meaning: other names, and whether a resumed run may have another value.
std::vector<std::string> remarks(const BoundField& field) {
  std::vector<std::string> told;
  if (!field.info.built) told.emplace_back("other values are not built yet");
  if (!field.info.other_names.empty())
    told.push_back("also " + join({field.info.other_names.begin(), field.info.other_names.end()}, ", "));
  if (field.info.may_change) told.emplace_back("may change when a run resumes");
  return told;
}

// A `|` would end the cell of a table.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

}  // namespace

std::string key_text(const BoundField& field) {
  std::string text = concat(field.key(), " = ", toml_text(value_of(field)), "\n  ", field.info.help,
                            "\n  accepted: ", accepted(field), "\n");
  for (const std::string& remark : remarks(field)) text += concat("  ", remark, "\n");
  return text;
}

std::string keys_page(const BoundFields& fields) {
  std::string page;
  const std::string* section = nullptr;
  for (const BoundField& field : fields) {
    if (section == nullptr || *section != field.section)
      page += concat("\n## ", field.section.empty() ? "At the top" : concat("`[", field.section, "]`"),
                     "\n\n| key | default | accepted | meaning |\n|---|---|---|---|\n");
    section = &field.section;
    std::vector<std::string> meaning = remarks(field);
    meaning.insert(meaning.begin(), std::string(field.info.help));
    page += concat("| `", field.info.name, "` | `", cell(toml_text(value_of(field))), "` | ", cell(accepted(field)),
                   " | ", cell(join(meaning, "; ")), " |\n");
  }
  return page;
}

}  // namespace sft
