// Random crops and flips of training pictures. A pure function of (seed, draw): the same on any number of ranks
// and after a resume, and the same for all columns of a sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "data/images/letterbox.h"
#include "data/loading/picture_column.h"
#include "data/loading/resized_crop.h"
#include "data/loading/scaled_crop.h"
#include "data/samples/schema.h"

namespace sft {

struct Augmentation {
  std::optional<ResizedCrop> resized_crop = {};
  std::optional<ScaledCrop> scaled_crop = {};
  int64_t padding = 0;  // pixels of 0, of masks of no class, on each side, out of which a window of the image's size is
                        // taken at random: torchvision's RandomCrop(size, padding); 0: none
  bool flip = false;    // left and right change places in every second draw
  uint64_t seed = 0;

  bool crops() const { return resized_crop || scaled_crop; }
  bool changes() const { return crops() || padding > 0 || flip; }
};

// What batches hold of stored samples: pictures of the size that a crop brings them to.
Schema seen_through(const Augmentation& how, Schema stored);

// Takes the crop of one draw from a stored picture, to `out`.
void crop(const std::byte* picture, const Column& stored, const Augmentation& how, int64_t draw, std::byte* out);

// Columns of a picture: those that change places when it is mirrored.
struct Mirrored {
  int64_t first = 0, end = 0;
};

// Moves and mirrors the picture of one draw, in place; a crop has been taken before. Mirrored are all columns, or those
// that are said.
void augment(std::byte* picture, const Column& column, const Augmentation& how, int64_t draw,
             const std::optional<Mirrored>& mirrored = {});

// Where a picture that was stored as `view` says, in a column of that shape, lies behind the draw's crop; and behind
// its move and its mirroring of these columns.
View cropped(const View& view, const Column& stored, const Augmentation& how, int64_t draw);
View augmented(View view, const Augmentation& how, int64_t draw, const Mirrored& mirrored);

}  // namespace sft
