#include "data/prepare/sample.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/random.h"
#include "base/text.h"
#include "data/readers/reader.h"

namespace sft {
namespace {

float read_weight(const Cell& cell) {
  float weight = 0;
  const char* end = cell.text.data() + cell.text.size();
  const auto parsed = std::from_chars(cell.text.data(), end, weight);
  const bool number = cell.kind == Cell::Kind::number || cell.kind == Cell::Kind::plain;
  if (!number || parsed.ec != std::errc{} || parsed.ptr != end || !std::isfinite(weight) || weight < 0) {
    throw CellProblem{concat("wanted a finite number ≥ 0, found ", describe(cell))};
  }
  return weight;
}

// In one row, the columns that are there tell most; in a file with thousands, the first few.
std::string list_of(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    shown.push_back(shown.size() < 20 ? in_quotes(name, 40) : "…");
    if (shown.size() > 20) break;
  }
  return shown.empty() ? "none" : join(shown, ", ");
}

}  // namespace

Columns::Columns(const PrepareRequest& request, const DataConfig& config)
    : separator_(config.label_separator),
      target_(request.target.value_or(TargetForm::label)),
      seed_(request.split_seed) {
  for (const std::string& name : config.text_column) texts_.push_back({"text_column", name});
  pair_ = {"text_pair_column", config.text_pair_column};
  weight_ = {"weight_column", config.weight_column};
  if (request.labels_required) label_ = {"label_column", config.label_column};
  if (request.part != PrepareRequest::Part::all) group_ = {"group_column", config.group_column};
  if (target_ != TargetForm::token_labels) return;
  if (!pair_.name.empty()) throw ConfigError("data.text_pair_column: tagged words make no pairs");
  if (texts_.size() != 1) throw ConfigError("data.text_column: tagged words come from one column");
}

void Columns::require_in(const std::string& path) const {
  const std::vector<std::string> found = columns_of(path);
  if (found.empty()) return;  // no row: no matter, as long as another file has some
  std::vector<Wanted> all = texts_;
  all.insert(all.end(), {pair_, label_, weight_, group_});
  for (const Wanted& wanted : all) {
    if (wanted.name.empty() || std::find(found.begin(), found.end(), wanted.name) != found.end()) continue;
    throw ConfigError(concat(path, ": data.", wanted.key, " = ", in_quotes(wanted.name),
                             ", but the columns are: ", list_of(found), did_you_mean(wanted.name, found)));
  }
}

const Cell& Columns::cell(const Row& row, const Wanted& wanted) const {
  if (const Cell* found = row.find(wanted.name)) return *found;
  throw CellProblem{concat("is missing; the row has: ", list_of(row.names()), did_you_mean(wanted.name, row.names()))};
}

const std::string& Columns::text(const Row& row, const Wanted& wanted) const {
  const Cell& found = cell(row, wanted);
  if (found.kind == Cell::Kind::text || found.kind == Cell::Kind::plain) return found.text;
  throw CellProblem{concat("wanted a string, found ", describe(found))};
}

// `current` is the column that is being read, for whoever tells what is wrong with it.
void Columns::read_text(const Row& row, const Wanted*& current, TextRow& out) const {
  if (target_ == TargetForm::token_labels) {
    read_words(cell(row, *(current = &texts_.front())), out.words);
    out.text = out.words.text;
    return;
  }
  out.text.clear();
  for (const Wanted& wanted : texts_) {
    if (&wanted != &texts_.front()) out.text += ' ';
    out.text += text(row, *(current = &wanted));
  }
}

void Columns::read_target(const Cell& cell, TextRow& out) const {
  switch (target_) {
    case TargetForm::label:
      out.labels.resize(1);
      return read_label(cell, out.labels.front());
    case TargetForm::label_set:
      return read_label_set(cell, separator_, out.labels);
    case TargetForm::values:
      return read_values(cell, separator_, num_targets_, out.values);
    case TargetForm::token_labels:
      return read_tags(cell, out.words.words.size(), out.labels);
  }
}

void Columns::read(const Row& row, const std::string& path, TextRow& out) const {
  const Wanted* current = nullptr;
  const auto at = [&](const Wanted& wanted) -> const Wanted& { return *(current = &wanted); };
  try {
    out.line = row.line;
    read_text(row, current, out);
    if (!pair_.name.empty()) out.pair = text(row, at(pair_));
    if (!label_.name.empty()) read_target(cell(row, at(label_)), out);
    if (!weight_.name.empty()) out.weight = read_weight(cell(row, at(weight_)));
    if (group_.name.empty()) {
      out.key = derive_key(derive_key(seed_, out.text), out.pair);
    } else {
      out.key = derive_key(seed_, cell(row, at(group_)).text);
    }
  } catch (const CellProblem& problem) {
    throw BadRow(concat(path, ":", row.line, ": column ", in_quotes(current->name), " ", problem.what));
  }
}

}  // namespace sft
