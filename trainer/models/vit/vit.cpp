#include "trainer/models/vit/vit.h"

#include <utility>

#include "trainer/models/blocks/patch_config.h"

namespace sft {
namespace {

class Vit final : public PatchEncoder {
 public:
  Vit(nlohmann::json content, const PatchShape& shape, const ModelSettings& settings)
      : PatchEncoder(std::move(content), shape,
                     {.prefix = "vit.",
                      .architecture = "ViT",
                      .input_norm = "layernorm_before",
                      .output_norm = "layernorm_after",
                      .inner = "intermediate.dense",
                      .output = "output.dense"},
                     Reads::first, settings) {}

  int64_t width() const override { return shape().width; }
};

}  // namespace

std::unique_ptr<Model> make_vit(nlohmann::json content, const ModelSettings& settings) {
  PatchShape shape{.pixels = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}};
  read_patch_shape(content, shape);
  shape.inner = ConfigReader(content).count("intermediate_size", shape.inner);
  return std::make_unique<Vit>(std::move(content), shape, settings);
}

}  // namespace sft
