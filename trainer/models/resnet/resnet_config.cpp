#include "trainer/models/resnet/resnet_config.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

// Sizes beyond these are mistakes or worse.
constexpr int64_t kMostChannels = 1 << 20, kMostBlocks = 1024;
constexpr size_t kMostStages = 64;

[[noreturn]] void refuse(const std::string& key, const std::string& wanted, const json& found) {
  throw ConfigError(concat("config.json: ", key, " must be ", wanted, ", found ", found.dump()));
}

bool is_count(const json& value, int64_t most) { return value.is_number_integer() && value >= 1 && value <= most; }

int64_t count(json& content, const char* key, int64_t otherwise) {
  const json& value = content.emplace(key, otherwise).first.value();
  if (!is_count(value, kMostChannels)) refuse(key, concat("an integer from 1 to ", kMostChannels), value);
  return value.get<int64_t>();
}

bool flag(json& content, const char* key) {
  const json& value = content.emplace(key, false).first.value();
  if (!value.is_boolean()) refuse(key, "true or false", value);
  return value.get<bool>();
}

std::vector<int64_t> sizes(json& content, const char* key, const std::vector<int64_t>& otherwise, int64_t most) {
  const json& value = content.emplace(key, otherwise).first.value();
  const bool good = value.is_array() && !value.empty() && value.size() <= kMostStages &&
                    std::ranges::all_of(value, [&](const json& size) { return is_count(size, most); });
  if (!good) refuse(key, concat("a list of at most ", kMostStages, " integers from 1 to ", most), value);
  return value.get<std::vector<int64_t>>();
}

}  // namespace

ResNetConfig read_resnet_config(json& content) {
  ResNetConfig config;
  config.embedding_size = count(content, "embedding_size", config.embedding_size);
  config.hidden_sizes = sizes(content, "hidden_sizes", config.hidden_sizes, kMostChannels);
  config.depths = sizes(content, "depths", config.depths, kMostBlocks);
  if (config.depths.size() != config.hidden_sizes.size())
    refuse("depths", concat("as long as hidden_sizes (", config.hidden_sizes.size(), ")"), content["depths"]);
  const json& type = content.emplace("layer_type", "bottleneck").first.value();
  if (type != "basic" && type != "bottleneck") refuse("layer_type", "\"basic\" or \"bottleneck\"", type);
  config.bottleneck = type == "bottleneck";
  const json& activation = content.emplace("hidden_act", "relu").first.value();
  if (activation != "relu") refuse("hidden_act", "\"relu\" (others are not built for ResNet)", activation);
  config.downsample_in_first_stage = flag(content, "downsample_in_first_stage");
  config.downsample_in_bottleneck = flag(content, "downsample_in_bottleneck");
  config.pixels = read_pixel_scale(content, kImageNetPixels);
  return config;
}

std::string ResNetConfig::torchvision_name() const {
  const std::vector<std::pair<int, std::vector<int64_t>>> basic = {{18, {2, 2, 2, 2}}, {34, {3, 4, 6, 3}}},
                                                          deep = {{50, {3, 4, 6, 3}},
                                                                  {101, {3, 4, 23, 3}},
                                                                  {152, {3, 8, 36, 3}}};
  for (const auto& [layers, wanted] : bottleneck ? deep : basic) {
    if (depths == wanted) return concat("resnet", layers);
  }
  return "resnet";
}

}  // namespace sft
