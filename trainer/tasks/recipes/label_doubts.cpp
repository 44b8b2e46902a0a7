#include "trainer/tasks/recipes/label_doubts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/text.h"
#include "data/text/letters.h"
#include "trainer/tasks/recipes/target_cells.h"

namespace sft {
namespace {

constexpr char kScheme[] = "; entities are read of B-PER, I-PER, E-PER and S-PER";

// Nothing where the name is no number, or NaN.
std::optional<double> number_of(const std::string& name) {
  double value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size() || std::isnan(value)) return {};
  return value;
}

// 1 and 0 of truth values, as Python, JSON and R write them.
std::optional<double> truth_of(const std::string& name) {
  for (const auto& [words, value] : {std::pair{"true True TRUE", 1.0}, {"false False FALSE", 0.0}})
    if (concat(" ", words, " ").find(concat(" ", name, " ")) != std::string::npos) return value;
  return {};
}

// As pandas writes what it has no value for, or reads it. NA is left: it is a country, and an answer.
bool looks_missing(const std::string& name) {
  static const std::set<std::string> kMissing{"nan", "NaN", "-nan", "None", "null", "NULL", "<NA>", "N/A", "#N/A"};
  return kMissing.contains(name);
}

bool is_one_of(char letter, std::string_view letters) { return letters.find(letter) != letters.npos; }

// "B_PER".
bool has_low_line(std::string_view tag) { return tag.size() > 2 && is_one_of(tag[0], "BI") && tag[1] == '_'; }

// "PER-B".
bool ends_in_mark(std::string_view tag) {
  return tag.size() > 2 && is_one_of(tag.back(), "BI") && is_one_of(tag[tag.size() - 2], "-_");
}

bool is_of_bilou(std::string_view tag) { return tag.starts_with("L-") || tag.starts_with("U-"); }

}  // namespace

StringList doubts_of_labels(const StringList& names) {
  StringList doubts;
  std::map<std::string, std::string> seen;
  for (const std::string& name : names) {
    const auto [other, is_new] = seen.try_emplace(folded(name), name);
    if (is_new) continue;
    doubts.push_back(concat("the labels ", in_quotes(other->second, 40), " and ", in_quotes(name, 40),
                            " differ in case, blanks or Unicode form alone, and are two classes"));
    break;
  }
  std::map<double, std::string> numbers;
  for (const std::string& name : names) {
    const auto value = number_of(name);
    constexpr double kToldApart = 0x1p53;  // whole numbers below it
    if (!value || std::abs(*value) >= kToldApart) continue;
    const auto [other, is_new] = numbers.try_emplace(*value, name);
    if (is_new) continue;
    doubts.push_back(concat("the labels ", in_quotes(other->second, 40), " and ", in_quotes(name, 40),
                            " are the same number, and two classes"));
    break;
  }
  for (const std::string& name : names) {
    const auto value = truth_of(name);
    const auto number = value ? numbers.find(*value) : numbers.end();
    if (number == numbers.end()) continue;
    doubts.push_back(concat("the labels ", in_quotes(number->second, 40), " and ", in_quotes(name, 40),
                            " may mean the same, and are two classes"));
    break;
  }
  if (const auto missing = std::ranges::find_if(names, looks_missing); missing != names.end())
    doubts.push_back(concat("the label ", in_quotes(*missing, 40),
                            " looks like a missing value, and is taken for the name of a class"));
  if (std::ranges::find(names, "-100") != names.end())
    doubts.push_back(
        "the label '-100' is one that transformers passes over, and is taken for the name of a class; take it away, and "
        "of tagged words give those without a tag O");
  if (const auto list = std::ranges::find_if(names, looks_like_a_list); list != names.end())
    doubts.push_back(concat("the label ", in_quotes(*list, 40),
                            " looks like a list, and is taken for the name of one class; .jsonl holds lists, and so do "
                            "texts with data.label_separator between the labels under model.problem_type = "
                            "'multi_label_classification'"));
  return doubts;
}

StringList doubts_of_tags(const StringList& names) {
  StringList doubts = doubts_of_labels(names);
  const auto tell = [&](bool (*is_such)(std::string_view), const char* what) {
    if (const auto found = std::ranges::find_if(names, is_such); found != names.end())
      doubts.push_back(concat("the tag ", in_quotes(*found, 40), " ", what, kScheme));
  };
  const bool marks = std::ranges::any_of(names, [](const std::string& tag) { return tag.starts_with("B-"); });
  if (marks)
    tell(is_of_bilou,
         "is of BILOU, whose L- and U- begin or end an entity here only beside another type: write E- and S-");
  if (!marks) tell(has_low_line, "has a low line behind its mark: write B-PER");
  if (!marks) tell(ends_in_mark, "ends in its mark: write B-PER");
  return doubts;
}

}  // namespace sft
