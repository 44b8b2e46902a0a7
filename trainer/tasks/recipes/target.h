// What a text is to be mapped to: one label, any number of labels, or real numbers, as model.problem_type says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/prepare/labels.h"
#include "data/prepare/report.h"
#include "data/readers/row.h"
#include "data/samples/sample.h"

namespace sft {

// Of one row.
struct Answer {
  std::vector<Label> labels;
  std::vector<int64_t> ids;          // of the labels; flags have ids alone
  std::vector<float> values;         // real numbers
  std::vector<float> probabilities;  // of the labels, or, where no label is named, of all there are in their order
  std::vector<float> teacher_logits;
};

class Target {
 public:
  virtual ~Target() = default;
  virtual void read(const Cell& cell, Answer& out) const = 0;  // CellProblem where the cell is no such target
  virtual Column column(int64_t num_labels) const = 0;         // "labels" or "values"
  virtual void put(const Answer& answer, const Column& column, Packed& cell) const = 0;
  virtual bool has_classes() const { return true; }
  virtual size_t least_classes() const { return 1; }  // that can be learned
  virtual bool has_strata() const {
    return false;
  }  // whether rows of one target are many; of sets and numbers nearly
     // every row would be a stratum of its own
  virtual void describe(PrepareReport& report) const = 0;
};

inline constexpr char kOneLabel[] = "single_label_classification";
inline constexpr char kLabelSet[] = "multi_label_classification";
inline constexpr char kRealNumbers[] = "regression";

// Sets of labels as rows of so many flags, 0 or 1, one a label.
std::unique_ptr<Target> make_flags(int64_t count, const std::string& separator);

// Cells with a probability for each label in place of one label.
struct ProbabilityForm {
  bool are_normalized = false;  // by dividing them by their sum
  bool in_lists = false;        // in the order of the labels; an object names them anyway
};

// `num_targets`: numbers that a row of real numbers must have; 0: any. `separator` stands between several in one text.
std::unique_ptr<Target> make_target(const std::string& problem_type, int64_t num_targets, const std::string& separator,
                                    const ProbabilityForm& form = {});

}  // namespace sft
