// Random crops and flips of training pictures. A pure function of (seed, draw): the same on any number of ranks
// and after a resume, and the same for all columns of a sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "data/loading/resized_crop.h"
#include "data/samples/schema.h"

namespace sft {

struct Augmentation {
  std::optional<ResizedCrop> resized_crop = {};
  int64_t padding = 0;  // pixels of 0 on each side, out of which a window of the image's size is taken at random:
                        // torchvision's RandomCrop(size, padding); 0: none
  bool flip = false;    // left and right change places in every second draw
  uint64_t seed = 0;

  bool changes() const { return resized_crop || padding > 0 || flip; }
};

// Whether a column holds a picture: one [H, W] or [H, W, …] a sample.
bool is_picture(const Column& column);

// What batches hold of stored samples: pictures of the size that a resized crop brings them to.
Schema seen_through(const Augmentation& how, Schema stored);

// Moves and mirrors the picture of one draw, in place; a resized crop has been taken before.
void augment(std::byte* picture, const Column& column, const Augmentation& how, int64_t draw);

}  // namespace sft
