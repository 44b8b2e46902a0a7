#include "trainer/models/yolos/yolos.h"

#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/patch_config.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr int64_t kMostTokens = 1 << 14, kMostPixels = 1 << 14;

class Yolos final : public PatchEncoder {
 public:
  Yolos(json content, const PatchShape& shape, const ModelSettings& settings)
      : PatchEncoder(std::move(content), shape,
                     {.prefix = "vit.",
                      .architecture = "Yolos",
                      .input_norm = "layernorm_before",
                      .output_norm = "layernorm_after",
                      .inner = "intermediate.dense",
                      .output = "output.dense"},
                     Reads::last, settings) {}

  int64_t width() const override { return shape().width; }
  Needs needs() const override { return {{.column = {.name = "pixels", .number = Number::uint8, .shape = {0, 0, 3}}}}; }

  ImageProcessor image_processor() const override { return {.type = "YolosImageProcessor", .takes_boxes = true}; }
  std::string architecture(const std::string& class_ending) const override {
    if (class_ending == "ForObjectDetection") return "Yolos" + class_ending;
    throw ConfigError(
        concat("model_type yolos has no class that ends in ", class_ending, "; it does object_detection"));
  }

  // In memory transformers calls the positions between blocks otherwise than in its files.
  std::string canonical(const std::string& file_name) const override {
    const std::string name = PatchEncoder::canonical(file_name);
    return name == "vit.encoder.interpolation.mid_position_embeddings" ? "vit.encoder.mid_position_embeddings" : name;
  }
};

// A number of pixels, or height and width.
void read_image_size(json& content, PatchShape& shape) {
  const json& size = content.emplace("image_size", json{shape.image_height, shape.image_width}).first.value();
  const json both = size.is_array() ? size : json{size, size};
  const auto is_good = [&](const json& side) {
    return side.is_number_integer() && side >= shape.patch_size && side <= kMostPixels;
  };
  if (both.size() != 2 || !is_good(both[0]) || !is_good(both[1]))
    ConfigReader(content).refuse("image_size",
                                 concat("height and width of the pictures that the positions are of, two ",
                                        "integers from patch_size (", shape.patch_size, ") to ", kMostPixels));
  shape.image_height = both[0];
  shape.image_width = both[1];
}

}  // namespace

std::unique_ptr<Model> make_yolos(json content, const ModelSettings& settings) {
  PatchShape shape{.image_height = 512, .image_width = 864, .pixels = kImageNetPixels};
  read_patch_layers(content, shape);
  ConfigReader read(content);
  shape.inner = read.count("intermediate_size", shape.inner);
  shape.detection_tokens = read.count("num_detection_tokens", 100, 1, kMostTokens);
  shape.has_mid_positions = read.flag("use_mid_position_embeddings", true);
  read_image_size(content, shape);
  // transformers' table between blocks has this many rows, and cannot be brought to another size where the two differ.
  const int64_t counted = shape.image_height * shape.image_width / (shape.patch_size * shape.patch_size);
  if (shape.has_mid_positions && counted != shape.patches())
    read.refuse("image_size",
                concat("multiples of patch_size (", shape.patch_size, ") where use_mid_position_embeddings is true"));
  return std::make_unique<Yolos>(std::move(content), shape, settings);
}

}  // namespace sft
