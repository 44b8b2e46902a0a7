#include "trainer/tasks/recipes/target.h"

#include "base/text.h"
#include "trainer/tasks/recipes/probability_cells.h"
#include "trainer/tasks/recipes/target_cells.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

class OneLabel final : public Target {
 public:
  explicit OneLabel(const ProbabilityForm& form) : form_(form) {}
  void read(const Cell& cell, Answer& out) const override {
    if (holds_probabilities(cell, form_)) return read_probabilities(cell, form_, out.labels, out.probabilities);
    out.labels.resize(1);
    read_label(cell, out.labels.front());
  }
  Column column(int64_t num_labels) const override { return label_column(num_labels); }
  void put(const Answer& answer, const Column&, Packed& cell) const override {
    cell.set(answer.ids.empty() ? int64_t{0} : answer.ids.front());
  }
  size_t least_classes() const override { return 2; }
  bool has_strata() const override { return true; }
  void describe(PrepareReport& report) const override { report.problem_type = kOneLabel; }

 private:
  ProbabilityForm form_;
};

class LabelSet : public Target {
 public:
  explicit LabelSet(std::string separator) : separator_(std::move(separator)) {}
  void read(const Cell& cell, Answer& out) const override { read_label_set(cell, separator_, out.labels); }
  Column column(int64_t num_labels) const override { return label_set_column(num_labels); }
  void put(const Answer& answer, const Column& column, Packed& cell) const override {
    std::vector<float> flags(static_cast<size_t>(column.entry_numbers()));
    for (const int64_t id : answer.ids) flags[static_cast<size_t>(id)] = 1.0f;
    cell.set(flags);
  }
  void describe(PrepareReport& report) const override {
    report.problem_type = kLabelSet;
    report.labels_are_sets = true;
  }

 private:
  std::string separator_;
};

class LabelFlags final : public LabelSet {
 public:
  LabelFlags(int64_t count, const std::string& separator) : LabelSet(separator), count_(count), separator_(separator) {}
  void read(const Cell& cell, Answer& out) const override { read_flags(cell, separator_, count_, out.ids); }
  void describe(PrepareReport& report) const override {
    LabelSet::describe(report);
    report.notes[concat("labels are told by ", count_, " flags a row, 0 or 1, one a label in this order")] = {};
  }

 private:
  int64_t count_;
  std::string separator_;
};

class RealNumbers final : public Target {
 public:
  RealNumbers(int64_t count, std::string separator) : count_(count), separator_(std::move(separator)) {}
  void read(const Cell& cell, Answer& out) const override { read_values(cell, separator_, count_, out.values); }
  Column column(int64_t) const override { return values_column(count_); }
  void put(const Answer& answer, const Column&, Packed& cell) const override { cell.set(answer.values); }
  bool has_classes() const override { return false; }
  void describe(PrepareReport& report) const override {
    report.problem_type = kRealNumbers;
    report.num_targets = count_;
    report.notes[concat(count_, count_ == 1 ? " real number" : " real numbers", " a row")] = {};
  }

 private:
  int64_t count_;
  std::string separator_;
};

}  // namespace

std::unique_ptr<Target> make_flags(int64_t count, const std::string& separator) {
  return std::make_unique<LabelFlags>(count, separator);
}

std::unique_ptr<Target> make_target(const std::string& problem_type, int64_t num_targets, const std::string& separator,
                                    const ProbabilityForm& form) {
  if (problem_type == kLabelSet) return std::make_unique<LabelSet>(separator);
  if (problem_type == kRealNumbers) return std::make_unique<RealNumbers>(num_targets, separator);
  return std::make_unique<OneLabel>(form);
}

}  // namespace sft
