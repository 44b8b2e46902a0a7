#include "trainer/tasks/recipes/probability_cells.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/text.h"
#include "data/native/decompressed.h"
#include "trainer/tasks/recipes/target_cells.h"

namespace sft {
namespace {

constexpr double kMostOff = 1e-4;  // of a sum from 1

void read_names(const Cell& cell, std::vector<Label>& labels) {
  std::set<std::string_view> seen;
  labels.clear();
  for (const std::string& name : cell.names) {
    read_label({.kind = Cell::Kind::text, .text = name}, labels.emplace_back());
    labels.back().is_index = is_index(name);  // keys of JSON are always text
    if (!seen.insert(name).second) throw CellProblem{concat("names the label ", in_quotes(name), " twice")};
  }
}

// Without the labels that a row of Parquet or Arrow does not name: all rows have the same, and there they are null.
Cell named_alone(const Cell& cell) {
  Cell named{.kind = cell.kind, .text = cell.text};
  for (size_t i = 0; i < cell.items.size(); ++i) {
    if (cell.kind == Cell::Kind::nested && cell.items[i].kind == Cell::Kind::null) continue;
    named.items.push_back(cell.items[i]);
    if (i < cell.names.size()) named.names.push_back(cell.names[i]);
  }
  return named;
}

}  // namespace

bool may_hold_probabilities(const StringList& files) {
  return std::ranges::any_of(files, [](const std::string& file) {
    const std::string_view name = uncompressed_name(file);
    return !name.ends_with(".csv") && !name.ends_with(".tsv");
  });
}

bool holds_probabilities(const Cell& cell, const ProbabilityForm& form) {
  const auto is_number = [](const Cell& item) { return item.kind == Cell::Kind::number; };
  return cell.kind == Cell::Kind::nested || (form.in_lists && cell.kind == Cell::Kind::list && !cell.items.empty() &&
                                             std::ranges::all_of(cell.items, is_number));
}

void read_probabilities(const Cell& given, const ProbabilityForm& form, std::vector<Label>& labels,
                        std::vector<float>& probabilities) {
  const Cell cell = named_alone(given);
  if (cell.items.empty()) throw CellProblem{"is an empty object; wanted a label, or { label = probability }"};
  read_names(cell, labels);
  const Cell numbers{.kind = Cell::Kind::list, .text = "array", .items = cell.items};
  read_values(numbers, "", std::ssize(cell.items), probabilities);
  for (const float probability : probabilities)
    if (probability < 0)
      throw CellProblem{concat("holds the probability ", probability, "; wanted numbers from 0 to 1")};
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  if (!form.are_normalized && std::abs(sum - 1) > kMostOff)
    throw CellProblem{concat("holds probabilities that sum to ", sum,
                             "; wanted 1, and data.normalize_label_probabilities = true divides them by their sum")};
  if (!form.are_normalized) return;
  if (!(sum > 0)) throw CellProblem{"holds probabilities that are all 0, which no division makes sum to 1"};
  for (float& probability : probabilities) probability = static_cast<float>(probability / sum);
}

void settle_distribution(Answer& answer, int64_t num_labels) {
  std::vector<float> all(static_cast<size_t>(num_labels));
  if (answer.probabilities.empty()) {
    all[static_cast<size_t>(answer.ids.front())] = 1;
  } else if (answer.labels.empty()) {
    if (std::ssize(answer.probabilities) != num_labels)
      throw CellProblem{
          concat("holds ", answer.probabilities.size(), " probabilities, and there are ", num_labels, " labels")};
    all = std::move(answer.probabilities);
  } else {
    // += : an index and a name may be one label
    for (size_t i = 0; i < answer.ids.size(); ++i) all[static_cast<size_t>(answer.ids[i])] += answer.probabilities[i];
  }
  answer.ids = {std::ranges::max_element(all) - all.begin()};
  answer.probabilities = std::move(all);
}

std::string likeliest_name(const Answer& answer) {
  if (answer.labels.empty()) return "";
  const auto most = std::ranges::max_element(answer.probabilities) - answer.probabilities.begin();
  return answer.labels[answer.probabilities.empty() ? 0 : static_cast<size_t>(most)].text;
}

}  // namespace sft
