// One dataset, and the attributes of one object, as plain values.
#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

#include "data/hdf5/layout.h"

namespace sft::hdf5 {

// DataError naming the dataset where it cannot be read or its bytes are not all in this file.
DatasetLayout describe_dataset(hid_t dataset, const std::string& name);

// Values of other classes than integer, float and string are left out; so is an attribute too large to be one.
std::vector<Attribute> describe_attributes(hid_t object);

Type describe_type(hid_t type);

// Sizes along each dimension, [] for one value. False where there is none or it is not known.
bool shape_of(hid_t space, std::vector<int64_t>& shape);

}  // namespace sft::hdf5
