// How a config struct lists its fields. A field is declared once, beside its owner; loading,
// overriding, checking, printing and comparing (base/config_file.h) walk that one list.
//
//   struct SaveConfig {
//     std::string save_strategy = "epoch";
//     static constexpr auto fields() {
//       return std::tuple{field("save_strategy", &SaveConfig::save_strategy, "when …", one_of("no", "epoch"))};
//     }
//   };
//
// A struct of such structs lists them with `section("save", &RunConfig::save)`.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace sft {

// Values beside bool, int64_t, double and std::string.
using StringList = std::vector<std::string>;  // a string is a list of one
using NumberList = std::vector<double>;       // a number is a list of one
using NumberLists = std::vector<NumberList>;
using Table = nlohmann::json;                // a free TOML table; always a JSON object
enum class AutoBool { automatic, yes, no };  // "auto" | true | false

// One of the rule's words, or numbers by name: "none" | "balanced" | { name = number, … }.
struct WordOrNumbers {
  std::string word = "none";  // "" where there are numbers
  std::map<std::string, double> numbers = {};
  bool operator==(const WordOrNumbers&) const = default;
};

// What a field accepts beside its type. Made by the functions below; the defaults accept all.
struct Rule {
  std::optional<double> least, most, only_value;
  bool least_excluded = false, most_excluded = false;
  std::vector<std::string_view> choices;          // empty: any text; the word "true" may be given as true
  std::vector<std::string_view> choices_to_come;  // refused by name
  std::vector<std::pair<std::string_view, std::string_view>> spellings;  // other spelling → choice
  bool is_path = false;                                                  // `~` and ${VAR} are expanded

  constexpr Rule below(double bound) && {
    most = bound;
    most_excluded = true;
    return std::move(*this);
  }
  template <class... Text>
  constexpr Rule not_built(Text... choice) && {
    (choices_to_come.push_back(choice), ...);
    return std::move(*this);
  }
  // Of WordOrNumbers: the words; the bounds are the numbers'.
  template <class... Text>
  constexpr Rule or_one_of(Text... choice) && {
    (choices.push_back(choice), ...);
    return std::move(*this);
  }
  constexpr Rule alias(std::string_view other, std::string_view choice) && {
    spellings.emplace_back(other, choice);
    return std::move(*this);
  }
};

template <class Number>
constexpr Rule at_least(Number least) {
  Rule rule;
  rule.least = static_cast<double>(least);
  return rule;
}

template <class Number>
constexpr Rule above(Number bound) {
  Rule rule = at_least(bound);
  rule.least_excluded = true;
  return rule;
}

template <class Number>
constexpr Rule in_range(Number least, Number most) {
  Rule rule = at_least(least);
  rule.most = static_cast<double>(most);
  return rule;
}

// Any other number is not built yet.
template <class Number>
constexpr Rule only(Number value) {
  Rule rule;
  rule.only_value = static_cast<double>(value);
  return rule;
}

template <class... Text>
constexpr Rule one_of(Text... choice) {
  Rule rule;
  (rule.choices.push_back(choice), ...);
  return rule;
}

// Of a list: each element is one of these.
template <class... Text>
constexpr Rule each_of(Text... choice) {
  return one_of(choice...);
}

struct Path {
  constexpr operator Rule() const {
    Rule rule;
    rule.is_path = true;
    return rule;
  }
};

// What a field says about itself, whatever its owner.
struct FieldInfo {
  std::string_view name;
  std::string_view help;
  Rule rule;
  std::vector<std::string_view> other_names;
  bool built = true;        // false: only the default value is accepted yet
  bool may_change = false;  // between a run and its resumption: it alters nothing that is learned
};

template <class Owner, class Value>
struct Field {
  Value Owner::*member;
  FieldInfo info;

  constexpr Field alias(std::string_view other_name) && {
    info.other_names.push_back(other_name);
    return std::move(*this);
  }
  constexpr Field not_built() && {
    info.built = false;
    return std::move(*this);
  }
  constexpr Field changeable() && {
    info.may_change = true;
    return std::move(*this);
  }
};

template <class Owner, class Value>
constexpr auto field(std::string_view name, Value Owner::*member, std::string_view help, Rule rule = {}) {
  return Field<Owner, Value>{member, FieldInfo{name, help, std::move(rule), {}, true, false}};
}

template <class Owner, class Part>
struct Section {
  std::string_view name;
  Part Owner::*member;
  bool may_change = false;  // all of it

  constexpr Section changeable() && {
    may_change = true;
    return std::move(*this);
  }
};

template <class Owner, class Part>
constexpr auto section(std::string_view name, Part Owner::*member) {
  return Section<Owner, Part>{name, member, false};
}

// The fields of a part that stand among the owner's own, under no name: a struct that another folder declares.
template <class Owner, class Part>
struct Spliced {
  Part Owner::*member;
};

template <class Owner, class Part>
constexpr auto splice(Part Owner::*member) {
  return Spliced<Owner, Part>{member};
}

// A field of one particular config, its type erased, so that what walks the list needs no template.
using FieldValue = std::variant<bool*, int64_t*, double*, std::string*, StringList*, NumberList*, NumberLists*,
                                AutoBool*, Table*, WordOrNumbers*>;
struct BoundField {
  std::string section;  // "optim"; "" at the top
  FieldInfo info;
  FieldValue value;

  std::string key() const { return (section.empty() ? "" : section + '.') + std::string(info.name); }
};
using BoundFields = std::vector<BoundField>;

// Every field of `config`, in order of declaration, those of its sections included. `config` is borrowed.
template <class Config>
BoundFields bind_fields(Config& config, const std::string& path = "") {
  BoundFields bound;
  const auto visit = [&](const auto& entry) {
    auto& value = config.*entry.member;
    if constexpr (requires { entry.info; }) {
      bound.push_back({path, entry.info, FieldValue{&value}});
    } else if constexpr (requires { entry.name; }) {
      BoundFields inner =
          bind_fields(value, path.empty() ? std::string(entry.name) : path + '.' + std::string(entry.name));
      for (BoundField& field : inner) field.info.may_change = field.info.may_change || entry.may_change;
      bound.insert(bound.end(), std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
    } else {
      BoundFields inner = bind_fields(value, path);
      bound.insert(bound.end(), std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
    }
  };
  std::apply([&](const auto&... entry) { (visit(entry), ...); }, Config::fields());
  return bound;
}

}  // namespace sft
