// Where a Keras file keeps each variable of a model.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/hdf5/layout.h"
#include "trainer/models/keras/network.h"

namespace sft {

// Our name of a variable, and the dataset of the file.
using PlacesInFile = std::vector<std::pair<std::string, std::string>>;

// Of all variables of `network`, made from the whole `graph`. Files are of one of two forms: a group for each layer
// with its datasets listed in order (attribute weight_names: Keras 2, and Keras 3's .h5), or layers/<kind>_<n>/vars/<i>
// (Keras 3's .weights.h5 and .keras). DataError naming layer and weight, without the file, where one is missing.
PlacesInFile places_in_file(const hdf5::FileLayout& file, const keras::Graph& graph, const keras::Network& network);

}  // namespace sft
