#include "trainer/models/dinov2/dinov2.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <utility>

#include "trainer/models/blocks/patch_config.h"

namespace sft {
namespace {

class Dinov2 final : public PatchEncoder {
 public:
  Dinov2(nlohmann::json content, const PatchShape& shape, bool has_mask_token, const ModelSettings& settings)
      : PatchEncoder(std::move(content), shape,
                     {.prefix = "dinov2.",
                      .architecture = "Dinov2",
                      .input_norm = "norm1",
                      .output_norm = "norm2",
                      .inner = shape.is_gated ? "mlp.weights_in" : "mlp.fc1",
                      .output = shape.is_gated ? "mlp.weights_out" : "mlp.fc2"},
                     Reads::all, settings) {
    if (has_mask_token) keep_in_files("embeddings.mask_token");  // of training without labels
  }

  int64_t width() const override { return 2 * shape().width; }

  at::Tensor features(const at::Tensor& x_BTC) const override {
    const at::Tensor wide = PatchEncoder::features(x_BTC);
    return at::cat({wide.select(1, 0), wide.narrow(1, 1, shape().patches()).mean(1)}, 1);
  }
};

// SwiGLU takes two thirds of an MLP's inner channels, in eights.
int64_t gated_width(int64_t inner) { return (inner * 2 / 3 + 7) / 8 * 8; }

}  // namespace

std::unique_ptr<Model> make_dinov2(nlohmann::json content, const ModelSettings& settings) {
  PatchShape shape{.patch_size = 14, .norm_eps = 1e-6, .pixels = kImageNetPixels};
  read_patch_shape(content, shape);
  ConfigReader read(content);
  shape.is_gated = read.flag("use_swiglu_ffn", false);
  const int64_t inner = shape.width * read.count("mlp_ratio", 4);
  shape.inner = shape.is_gated ? gated_width(inner) : inner;
  shape.layer_scale = read.number("layerscale_value", 1.0, 1e6, "a factor, 0 or more");
  shape.drop_path = read.rate("drop_path_rate", 0.0);
  const bool has_mask_token = read.flag("use_mask_token", true);
  return std::make_unique<Dinov2>(std::move(content), shape, has_mask_token, settings);
}

}  // namespace sft
