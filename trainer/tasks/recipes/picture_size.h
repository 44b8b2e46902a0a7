// The one size that the pictures of a split are brought to.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "data/images/resize.h"
#include "data/prepare/recipe.h"

namespace sft {

// Pixels of a side of what is kept: data.image_size, or of training pictures that crops are drawn from, more; 0:
// pictures stay as they are.
int64_t stored_side(const PrepareRequest& request, const DataConfig& config);

class PictureSize {
 public:
  // Borrows config. Training pictures that crops are drawn from may be larger than data.image_size.
  PictureSize(const PrepareRequest& request, const DataConfig& config);

  int64_t height() const { return height_; }
  int64_t width() const { return width_; }

  void add_to(nlohmann::json& key) const;  // as Recipe::key()

  // Without data.image_size all pictures must be as the first good one. As of Recipe.
  bool wants_glance() const { return side_ == 0; }
  bool glance(const Row& row, Census& into) const;
  void expect(const Census& told);

  // BadRow where the picture cannot be brought there.
  Image fitted(Image image, const Row& row) const;
  Mask fitted(Mask mask) const;  // of a picture of its size

 private:
  bool covers() const { return config_.crop != "none"; }

  const DataConfig& config_;
  int64_t side_;  // pixels; 0: pictures stay as they are
  int64_t height_, width_;
};

}  // namespace sft
