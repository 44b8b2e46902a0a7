// Layers that read several others.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include <algorithm>

#include "base/text.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

// One side of equal ones and of 1, which stands for any number, as NumPy broadcasts; 0: they do not go together.
int64_t broadcast(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  return a < 0 || b < 0 ? -1 : 0;
}

class Merge final : public Layer {
 public:
  explicit Merge(const LayerPlace& place) : Layer(place), kind_(place.layer.kind) {
    if (place.inputs.size() < 2) refuse("reads one layer, and takes two or more");
    if (kind_ == "Subtract" && place.inputs.size() != 2) refuse("takes two layers");
    shape_ = place.inputs.front();
    for (const Shape& shape : place.inputs) {
      const bool fits = shape.size() == shape_.size();
      for (size_t d = 0; fits && d < shape.size(); ++d) shape_[d] = broadcast(shape_[d], shape[d]);
      if (!fits || std::ranges::find(shape_, 0) != shape_.end())
        refuse(concat("reads ", text_of(place.inputs.front()), " and ", text_of(shape), ", which do not go together"));
    }
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    at::Tensor y = x.front();
    for (size_t i = 1; i < x.size(); ++i) {
      if (kind_ == "Multiply")
        y = y * x[i];
      else if (kind_ == "Subtract")
        y = y - x[i];
      else if (kind_ == "Maximum")
        y = at::maximum(y, x[i]);
      else if (kind_ == "Minimum")
        y = at::minimum(y, x[i]);
      else
        y = y + x[i];
    }
    return kind_ == "Average" ? y / static_cast<double>(x.size()) : y;
  }

 private:
  std::string kind_;
};

class Concatenation final : public Layer {
 public:
  explicit Concatenation(const LayerPlace& place) : Layer(place) {
    if (place.inputs.empty()) refuse("reads no layer");
    shape_ = place.inputs.front();
    const auto rank = static_cast<int64_t>(shape_.size());
    const int64_t axis = config_.integer("axis", -1, -rank, rank);
    const int64_t along = axis < 0 ? rank + axis : axis - 1;  // of a sample
    if (axis == 0) config_.refuse("axis", "a dimension of a sample");
    dimension_ = along == rank - 1 ? 1 : along + 2;
    for (size_t i = 1; i < place.inputs.size(); ++i) {
      const Shape& shape = place.inputs[i];
      bool fits = shape.size() == shape_.size();
      for (size_t d = 0; fits && d < shape.size(); ++d)
        fits = static_cast<int64_t>(d) == along || shape[d] == shape_[d] || shape[d] < 0 || shape_[d] < 0;
      if (!fits)
        refuse(concat("reads ", text_of(place.inputs.front()), " and ", text_of(shape), ", which do not go together"));
      int64_t& side = shape_[static_cast<size_t>(along)];
      side = side < 0 || shape[static_cast<size_t>(along)] < 0 ? -1 : side + shape[static_cast<size_t>(along)];
    }
    if (shape_.back() > kMostChannels) refuse(concat("more than ", kMostChannels, " channels"));
  }

  at::Tensor run(const Tensors& x, const Pass&) override { return at::cat(x, dimension_); }

 private:
  int64_t dimension_ = 1;
};

}  // namespace

std::unique_ptr<Layer> make_merge(const LayerPlace& place) { return std::make_unique<Merge>(place); }
std::unique_ptr<Layer> make_concatenation(const LayerPlace& place) { return std::make_unique<Concatenation>(place); }

}  // namespace sft::keras
