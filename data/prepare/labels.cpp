#include "data/prepare/labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace sft {
namespace {

// Above this the label column is surely another one, an id or the text.
constexpr size_t kMostLabels = 1'000'000;

// Whether a number in a row could mean the name where it is taken for an id: "01", and "1.0" or "1 star" of another id.
bool is_mistaken_for_an_id(const std::string& name, size_t id, size_t num_names) {
  if (is_index(name)) return true;
  double number = 0;
  const char* const end = name.data() + name.size();
  const auto [read, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || !std::isfinite(number) || number == static_cast<double>(id)) return false;
  const bool is_number = read == end;
  if (!is_number && *read != ' ') return false;
  return is_number || (number >= 0 && number < static_cast<double>(num_names));
}

}  // namespace

void LabelCensus::add(const Label& label) {
  const auto [place, is_new] = labels_.try_emplace(label.text, label.is_index);
  place->second = place->second && label.is_index;
  if (is_new && labels_.size() > kMostLabels) {
    throw DataError(concat("more than ", human_count(kMostLabels), " different labels, the last ",
                           in_quotes(label.text), ": is label_column the right column?"));
  }
}

void LabelCensus::merge(const LabelCensus& other) {
  for (const auto& [text, index] : other.labels_) add({text, index});
}

LabelCensus LabelCensus::of(std::map<std::string, bool> labels) {
  LabelCensus census;
  census.labels_ = std::move(labels);
  return census;
}

std::vector<std::string> LabelCensus::names() const {
  // Distinct, all of them indices and the highest k−1: then they are just 0 … k−1.
  const bool are_indices = std::all_of(labels_.begin(), labels_.end(), [this](const auto& label) {
    return label.second && std::stoull(label.first) < labels_.size();
  });
  std::vector<std::string> names;
  size_t id = 0;
  for (const auto& [text, index] : labels_) names.push_back(are_indices ? std::to_string(id++) : text);
  return names;
}

LabelIds::LabelIds(std::vector<std::string> names) : names_(std::move(names)) {
  for (size_t id = 0; id < names_.size(); ++id) {
    ids_.emplace(names_[id], static_cast<int64_t>(id));
    if (is_mistaken_for_an_id(names_[id], id, names_.size())) indices_allowed_ = false;
  }
}

int64_t LabelIds::operator()(const Label& label) const {
  if (const auto found = ids_.find(label.text); found != ids_.end()) return found->second;
  if (!label.is_index || !indices_allowed_) return -1;
  const uint64_t index = std::stoull(label.text);
  return index < names_.size() ? static_cast<int64_t>(index) : -1;
}

bool LabelIds::cover(const LabelCensus& census) const {
  return std::all_of(census.labels().begin(), census.labels().end(), [this](const auto& label) {
    return (*this)({label.first, label.second}) >= 0;
  });
}

std::string not_among(const std::string& label, const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) shown.push_back(in_quotes(names[i]));
  return concat("is none of the ", names.size(), " known labels: ", join(shown, ", "),
                names.size() > kShown ? ", …" : "", did_you_mean(label, names));
}

}  // namespace sft
