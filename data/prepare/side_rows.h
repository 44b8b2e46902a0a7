// Raw rows once more, numbered as the rows of samples are: of a side of a split the others are passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "data/prepare/recipe.h"

namespace sft {

class AllRows {
 public:
  explicit AllRows(std::unique_ptr<Input> input);

  // False behind the last one. BadRow as Reader::next().
  bool next(Row& row);
  void rewind();

 private:
  std::unique_ptr<Input> input_;
  int64_t num_pieces_, piece_ = 0;  // piece_: the next to be opened
  std::unique_ptr<Reader> reader_;  // null: between two pieces
};

class SideRows {
 public:
  // Of a request that splits, whose labels are known. The recipe glances at rows as prepare_shards() has it do; where
  // they are split by a share, all are read once. Borrows request and recipe.
  SideRows(const PrepareRequest& request, const DataConfig& config, Recipe& recipe);

  bool next(Row& row);  // as above

 private:
  const PrepareRequest& request_;
  const Recipe& recipe_;
  AllRows rows_;
  std::optional<Split> split_;
};

}  // namespace sft
