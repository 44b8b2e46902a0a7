// What prepare takes from a row, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/prepare/labels.h"
#include "data/prepare/prepare.h"
#include "data/prepare/tagged_words.h"
#include "data/prepare/target_cells.h"
#include "data/readers/row.h"

namespace sft {

struct TextRow {
  int64_t line = 0;
  std::string text, pair;
  std::vector<Label> labels;  // TargetForm::label: one; TargetForm::token_labels: one a word
  Words words;                // TargetForm::token_labels
  std::vector<float> values;  // TargetForm::values
  float weight = 1.0f;
  uint64_t key = 0;  // of the group, or of the texts; what belongs together has the same
};

class Columns {
 public:
  // ConfigError where the columns cannot give the targets that the request names.
  Columns(const PrepareRequest& request, const DataConfig& config);

  // ConfigError where `path` has rows but lacks a column, naming those it has and the nearest.
  void require_in(const std::string& path) const;

  // How text and label columns are read from now on. `num_targets`: numbers that a row of TargetForm::values must have.
  void expect(TargetForm target, int64_t num_targets) {
    target_ = target;
    num_targets_ = num_targets;
  }

  // Throws BadRow, with file and line, where a cell is missing or cannot be what it is wanted for.
  void read(const Row& row, const std::string& path, TextRow& out) const;

 private:
  struct Wanted {
    std::string key, name;  // of the config, of the file
  };
  const Cell& cell(const Row& row, const Wanted& wanted) const;
  const std::string& text(const Row& row, const Wanted& wanted) const;
  void read_text(const Row& row, const Wanted*& current, TextRow& out) const;
  void read_target(const Cell& cell, TextRow& out) const;

  std::vector<Wanted> texts_;
  Wanted pair_, label_, weight_, group_;  // no name: not wanted
  std::string separator_;
  TargetForm target_;
  int64_t num_targets_ = 0;
  uint64_t seed_;
};

}  // namespace sft
