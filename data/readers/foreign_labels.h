// Targets of a file that others wrote: class ids, a matrix whose rows are all one-hot or all probabilities of classes,
// a matrix of sets of labels, or real numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/hdf5/guard.h"

namespace sft {

enum class LabelForm { ids, flags, numbers };

struct ForeignLabels {
  LabelForm form = LabelForm::ids;
  std::vector<int32_t> ids;  // LabelForm::ids: one a sample
  // [samples, width]: 0 and 1 of LabelForm::flags, any of LabelForm::numbers; of LabelForm::ids the probabilities whose
  // likeliest class `ids` has, where there are some.
  std::vector<float> values;
  int64_t width = 0;  // columns of a matrix, or the highest id + 1
  bool one_hot = false;
  bool are_probabilities() const { return form == LabelForm::ids && !values.empty(); }
};

// Where `form` does not say what they are: integers [N] are ids, other numbers [N] are real targets; a matrix is
// one-hot labels where each row is, probabilities only where ids are wanted, else sets of labels where all of it is 0
// and 1, else real targets. DataError naming file, dataset and row where they are not of the form, not finite, or not
// one for each of `num_samples`.
ForeignLabels read_labels(const std::shared_ptr<const GuardedFile>& file, const hdf5::DatasetLayout& dataset,
                          int64_t num_samples, std::optional<LabelForm> form);

}  // namespace sft
