// Which form the targets of raw files have, where the config leaves it to the data: told by the first row, in the order
// of the files, that can be meant in one way only. A name is one label; a list with a name in it is a set of labels; a
// number with a fraction, alone or in a list, is a real target. Where there are only whole numbers, lists are sets of
// labels, and single ones are labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/prepare/pieces.h"
#include "data/prepare/prepare.h"

namespace sft {

struct Target {
  TargetForm form = TargetForm::label;
  int64_t width = 0;  // of TargetForm::values: numbers in the first row
};

// Every rank calls this and gets the same. What can be no target is passed over: it is told when the rows are read.
Target find_target(const PrepareRequest& request, const DataConfig& config, const std::vector<Piece>& pieces,
                   const Peers& peers);

}  // namespace sft
