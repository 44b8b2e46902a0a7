// HDF5 files that others write, with padded rows: input_ids [N, L], and as there are attention_mask,
// token_type_ids, labels, weights. Their names are announced once.
#pragma once

#include <memory>

#include "data/hdf5/guard.h"
#include "data/samples/dataset.h"

namespace sft {

// Targets are read once, here, in the form that is needed or else told by the file (foreign_labels.h); all else row by
// row. DataError naming file, dataset and row where the file is not of this form.
std::unique_ptr<Dataset> open_foreign(std::shared_ptr<const GuardedFile> file, const Needs& needs = {});

}  // namespace sft
