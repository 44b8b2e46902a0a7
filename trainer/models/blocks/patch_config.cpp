#include "trainer/models/blocks/patch_config.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr int64_t kMostPixels = 1 << 14;  // of a side

// A number of pixels, or a list of two equal ones.
int64_t side(nlohmann::json& content, const char* key, int64_t otherwise) {
  ConfigReader read(content);
  if (read.has(key) && content[key].is_array()) {
    const nlohmann::json list = content[key];
    if (list.size() != 2 || list[0] != list[1]) read.refuse(key, "one number, or two equal ones (pictures are square)");
    content[key] = list[0];
  }
  return read.count(key, otherwise, 1, kMostPixels);
}

}  // namespace

void read_patch_shape(nlohmann::json& content, PatchShape& shape) {
  read_patch_layers(content, shape);
  const int64_t size = side(content, "image_size", shape.image_height), patch = shape.patch_size;
  shape.image_height = shape.image_width = size;
  if (size % patch != 0)
    ConfigReader(content).refuse("image_size",
                                 concat("a multiple of patch_size (", patch, "), as ", (size / patch + 1) * patch,
                                        " is; data.image_size chooses another than the file's"));
}

void read_patch_layers(nlohmann::json& content, PatchShape& shape) {
  ConfigReader read(content);
  if (read.has("quantization_config")) read.refuse("quantization_config", "absent (quantized weights are not built)");
  shape.patch_size = side(content, "patch_size", shape.patch_size);
  shape.width = read.count("hidden_size", shape.width);
  shape.blocks = read.count("num_hidden_layers", shape.blocks, 1, ConfigReader::kMostBlocks);
  shape.heads = read.count("num_attention_heads", shape.heads);
  if (shape.width % shape.heads != 0)
    read.refuse("hidden_size", concat("a multiple of num_attention_heads (", shape.heads, ")"));
  shape.activation = read.activation("hidden_act");
  shape.hidden_dropout = read.rate("hidden_dropout_prob", shape.hidden_dropout);
  shape.attention_dropout = read.rate("attention_probs_dropout_prob", shape.attention_dropout);
  shape.initializer_range =
      read.number("initializer_range", shape.initializer_range, 1e6, "a standard deviation, 0 or more");
  shape.norm_eps = read.number("layer_norm_eps", shape.norm_eps, 1.0, "a small number, 0 or more");
  shape.query_key_value_bias = read.flag("qkv_bias", true);
  shape.pixels = read_pixel_scale(content, shape.pixels);
}

}  // namespace sft
