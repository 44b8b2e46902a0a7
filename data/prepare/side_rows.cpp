#include "data/prepare/side_rows.h"

#include "base/progress.h"

namespace sft {
namespace {

void let_glance(Recipe& recipe, const StringList& files) {
  if (!recipe.wants_glance()) return;
  const std::unique_ptr<Input> input = recipe.open(files);
  Census census;
  const int64_t num_pieces = input->cut(alone());
  for (int64_t piece = 0; piece < num_pieces; ++piece) {
    census.begin(piece);
    const std::unique_ptr<Reader> reader = input->open(piece);
    for (Row row; reader->next(row) && !recipe.glance(row, census);) beat();
  }
  recipe.expect(census);
}

}  // namespace

AllRows::AllRows(std::unique_ptr<Input> input) : input_(std::move(input)), num_pieces_(input_->cut(alone())) {}

bool AllRows::next(Row& row) {
  for (;; reader_.reset()) {
    beat();
    if (!reader_ && piece_ == num_pieces_) return false;
    if (!reader_) reader_ = input_->open(piece_++);
    if (reader_->next(row)) return true;
  }
}

void AllRows::rewind() {
  reader_.reset();
  piece_ = 0;
}

SideRows::SideRows(const PrepareRequest& request, const DataConfig& config, Recipe& recipe)
    : request_(request), recipe_(recipe), rows_(recipe.open(request.files)) {
  let_glance(recipe, request.files);
  if (!config.fold.empty()) {
    split_.emplace(fold_from(config.fold));
    return;
  }
  SplitCensus groups;
  for (Row row; rows_.next(row);) {
    const Group group = recipe_.group_of(row, request.split_seed);
    groups.add(group.stratum, group.key);
  }
  rows_.rewind();
  split_.emplace(groups, config.validation_split);
}

bool SideRows::next(Row& row) {
  while (rows_.next(row)) {
    const bool held_out = split_->is_validation(recipe_.group_of(row, request_.split_seed).key);
    if (held_out == (request_.side == PrepareRequest::Side::validation)) return true;
  }
  return false;
}

}  // namespace sft
