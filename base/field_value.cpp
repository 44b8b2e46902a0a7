#include "base/field_value.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/errors.h"
#include "base/text.h"
#include "base/toml.h"

namespace sft {
namespace {

using nlohmann::json;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang before 17 derives none for an aggregate

[[noreturn]] void refuse(const Given& given, const std::string& what) {
  throw ConfigError(concat(given.place.empty() ? "" : given.place + ": ", given.key, what));
}

std::string described(const json& value) {
  switch (value.type()) {
    case json::value_t::string:
      return "the string " + in_quotes(value.get<std::string>());
    case json::value_t::array:
      return "a list";
    case json::value_t::object:
      return "a table";
    case json::value_t::null:
      return "nothing";
    case json::value_t::boolean:
      return toml_text(value);
    default:
      return (value.is_number_float() ? "the number " : "the integer ") + toml_text(value);
  }
}

[[noreturn]] void refuse_type(const Given& given, const std::string& wanted, const json& found) {
  refuse(given, concat(": wanted ", wanted, ", found ", described(found)));
}

void check_number(double value, const Rule& rule, const Given& given, const json& found) {
  if (!std::isfinite(value)) refuse_type(given, "a finite number", found);
  if (std::abs(value) > std::numeric_limits<float>::max())
    refuse(given, concat(": wanted a number that single precision holds, up to 3.4e38, found ", toml_text(found)));
  if (rule.only_value && value != *rule.only_value)
    refuse(given, concat(" = ", toml_text(found), " is not built yet; leave it at ", *rule.only_value));
  const bool low = rule.least && (rule.least_excluded ? value <= *rule.least : value < *rule.least);
  const bool high = rule.most && (rule.most_excluded ? value >= *rule.most : value > *rule.most);
  if (!low && !high) return;
  refuse(given, concat(": wanted ", bounds_of(rule), ", found ", toml_text(found)));
}

// `~` at the start and every ${VARIABLE}.
std::string expanded(const std::string& path, const Given& given) {
  const auto variable = [&](const std::string& name) -> std::string {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) refuse(given, concat(": environment variable ", in_quotes(name), " is not set"));
    return value;
  };
  std::string out;
  size_t from = 0;
  if (path == "~" || path.starts_with("~/")) {
    out = variable("HOME");
    from = 1;
  }
  for (;;) {
    const size_t start = path.find("${", from);
    if (start == std::string::npos) return out + path.substr(from);
    const size_t end = path.find('}', start);
    if (end == std::string::npos) refuse(given, concat(": '${' without '}' in ", in_quotes(path)));
    out += path.substr(from, start - from) + variable(path.substr(start + 2, end - start - 2));
    from = end + 1;
  }
}

std::string checked_text(std::string text, const Rule& rule, const Given& given) {
  if (rule.is_path) return expanded(text, given);
  for (const auto& [other, choice] : rule.spellings)
    if (text == other) return std::string(choice);
  if (rule.choices.empty() || std::ranges::find(rule.choices, text) != rule.choices.end()) return text;
  std::vector<std::string> built;
  for (const std::string_view choice : rule.choices) built.push_back(choice.empty() ? "\"\"" : std::string(choice));
  if (std::ranges::find(rule.choices_to_come, text) != rule.choices_to_come.end())
    refuse(given, concat(" = ", in_quotes(text), " is not built yet; built: ", join(built, ", ")));
  refuse(given, concat(": wanted ", built.size() == 1 ? "" : "one of ", join(built, ", "), ", found ", in_quotes(text),
                       did_you_mean(text, built)));
}

StringList to_list(const json& value, const Rule& rule, const Given& given) {
  const json elements = value.is_array() ? value : json::array({value});
  StringList list;
  for (const json& element : elements) {
    if (!element.is_string()) refuse_type(given, "a string or a list of strings", value.is_array() ? element : value);
    if (element == "" && !value.is_array()) continue;  // "" is how Hugging Face says none
    list.push_back(checked_text(element.get<std::string>(), rule, given));
  }
  return list;
}

NumberList to_numbers(const json& value, const Rule& rule, const Given& given) {
  const json elements = value.is_array() ? value : json::array({value});
  NumberList list;
  for (const json& element : elements) {
    if (!element.is_number()) refuse_type(given, "a number or a list of numbers", element);
    check_number(element.get<double>(), rule, given, element);
    list.push_back(element.get<double>());
  }
  return list;
}

NumberLists to_lists_of_numbers(const json& value, const Rule& rule, const Given& given) {
  if (!value.is_array()) refuse_type(given, "a list of lists of numbers", value);
  NumberLists lists;
  for (const json& element : value) {
    if (!element.is_array()) refuse_type(given, "a list of lists of numbers", element);
    lists.push_back(to_numbers(element, rule, given));
  }
  return lists;
}

WordOrNumbers to_word_or_numbers(const json& value, const Rule& rule, const Given& given) {
  const StringList words(rule.choices.begin(), rule.choices.end());
  const bool is_word = value.is_string() && !value.get<std::string>().empty();
  if (is_word && (words.empty() || std::ranges::find(words, value.get<std::string>()) != words.end()))
    return {value, {}};
  if (!value.is_object()) refuse_type(given, join(words, ", ") + " or { name = number, … }", value);
  WordOrNumbers chosen{"", {}};
  for (const auto& [name, number] : value.items()) {
    const Given entry{given.place, given.key + '.' + escaped(name), ""};
    if (!number.is_number()) refuse_type(entry, "a number", number);
    check_number(number.get<double>(), rule, entry, number);
    chosen.numbers[name] = number.get<double>();
  }
  return chosen;
}

AutoBool to_auto_bool(const json& value, const Given& given) {
  if (value == "auto") return AutoBool::automatic;
  if (!value.is_boolean()) refuse_type(given, "auto, true or false", value);
  return value.get<bool>() ? AutoBool::yes : AutoBool::no;
}

}  // namespace

void assign(const BoundField& field, json value, const Given& given) {
  const Rule& rule = field.info.rule;
  const json before = value_of(field);
  const bool holds_text = std::holds_alternative<std::string*>(field.value) ||
                          (std::holds_alternative<StringList*>(field.value) && !value.is_array());
  if (holds_text && !value.is_string() && !given.words.empty()) value = given.words;
  if (value.is_boolean() && std::ranges::find(rule.choices, value.dump()) != rule.choices.end()) value = value.dump();

  const auto set = Overloaded{
      [&](bool* flag) {
        if (!value.is_boolean()) refuse_type(given, "true or false", value);
        *flag = value.get<bool>();
      },
      [&](int64_t* integer) {
        if (!value.is_number_integer()) refuse_type(given, "an integer", value);
        check_number(value.get<double>(), rule, given, value);
        *integer = value.get<int64_t>();
      },
      [&](double* number) {
        if (!value.is_number()) refuse_type(given, "a number", value);
        check_number(value.get<double>(), rule, given, value);
        *number = value.get<double>();
      },
      [&](std::string* text) {
        if (!value.is_string()) refuse_type(given, "a string", value);
        *text = checked_text(value.get<std::string>(), rule, given);
      },
      [&](StringList* list) { *list = to_list(value, rule, given); },
      [&](NumberList* list) { *list = to_numbers(value, rule, given); },
      [&](NumberLists* lists) { *lists = to_lists_of_numbers(value, rule, given); },
      [&](AutoBool* choice) { *choice = to_auto_bool(value, given); },
      [&](Table* table) {
        if (!value.is_object()) refuse_type(given, "a table", value);
        table->merge_patch(value);
      },
      [&](WordOrNumbers* chosen) { *chosen = to_word_or_numbers(value, rule, given); },
  };
  std::visit(set, field.value);

  // `before` is the default here: nothing else has ever been accepted.
  if (!field.info.built && value_of(field) != before)
    refuse(given, concat(" = ", toml_text(value), " is not built yet; leave it at ", toml_text(before)));
}

std::string bounds_of(const Rule& rule) {
  const std::string from = !rule.least ? "" : concat(rule.least_excluded ? "more than " : "at least ", *rule.least);
  const std::string to = !rule.most ? "" : concat(rule.most_excluded ? "less than " : "at most ", *rule.most);
  return concat(from, from.empty() || to.empty() ? "" : " and ", to);
}

json value_of(const BoundField& field) {
  const auto read = Overloaded{
      [](const auto* value) { return json(*value); },
      [](const AutoBool* choice) {
        return *choice == AutoBool::automatic ? json("auto") : json(*choice == AutoBool::yes);
      },
      [](const WordOrNumbers* chosen) { return chosen->word.empty() ? json(chosen->numbers) : json(chosen->word); },
  };
  return std::visit(read, field.value);
}

}  // namespace sft
