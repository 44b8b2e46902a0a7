// Images in any of their forms → HDF5 shards of one size, on all ranks in parallel. Decoding and resizing happen here,
// once; what changes from draw to draw happens when a batch is read (data/loading/augment.h).
#pragma once

#include "data/prepare/data_config.h"
#include "data/prepare/prepare.h"
#include "data/readers/image_source.h"

namespace sft {

// The datasets that [data] chooses for HDF5.
ImageColumns image_columns(const DataConfig& config);

// As prepare() in data/prepare/prepare.h, of image sources (data/readers/image_source.h); a row is an image. Labels
// that are ids without names take the model's names (request.label_names) only where it has just as many.
PrepareReport prepare_images(const PrepareRequest& request, const DataConfig& config, const Peers& peers);

}  // namespace sft
