#include "trainer/models/vgg/vgg_config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {
namespace {

using nlohmann::json;

struct Known {
  const char* name;
  std::vector<int64_t> depths;
};

const std::array<Known, 4> kKnown{
    {{"vgg11", {1, 1, 2, 2, 2}}, {"vgg13", {2, 2, 2, 2, 2}}, {"vgg16", {2, 2, 3, 3, 3}}, {"vgg19", {2, 2, 4, 4, 4}}}};
constexpr const char* kBatchNormEnding = "_bn";
constexpr int64_t kMostDepth = 64;

// "vgg16_bn" of {"architectures": ["vgg16_bn"]}; "" where none is named.
std::string name_in(const json& content) {
  const auto names = content.find("architectures");
  const bool is_named = names != content.end() && names->is_array() && !names->empty() && (*names)[0].is_string();
  return is_named ? (*names)[0].get<std::string>() : "";
}

std::vector<int64_t> sizes(json& content, const char* key, const std::vector<int64_t>& otherwise, int64_t most) {
  const json& value = content.emplace(key, otherwise).first.value();
  const bool good =
      value.is_array() && !value.empty() && value.size() <= 8 &&
      std::ranges::all_of(value, [&](const json& one) { return one.is_number_integer() && one >= 1 && one <= most; });
  if (!good) ConfigReader(content).refuse(key, concat("a list of at most 8 integers from 1 to ", most));
  return value.get<std::vector<int64_t>>();
}

}  // namespace

VggConfig read_vgg_config(json& content) {
  ConfigReader read(content);
  VggConfig config;
  const std::string name = name_in(content);
  for (const Known& known : kKnown)
    if (name.starts_with(known.name)) config.depths = known.depths;
  config.depths = sizes(content, "depths", config.depths, kMostDepth);
  config.hidden_sizes = sizes(content, "hidden_sizes", config.hidden_sizes, ConfigReader::kMostRows);
  if (config.depths.size() != config.hidden_sizes.size())
    read.refuse("depths", concat("as long as hidden_sizes (", config.hidden_sizes.size(), ")"));
  config.batch_norm = read.flag("batch_norm", name.ends_with(kBatchNormEnding));
  config.classifier_size = read.count("classifier_size", config.classifier_size);
  config.classifier_dropout = read.rate("classifier_dropout", config.classifier_dropout);
  config.pixels = read_pixel_scale(content, kImageNetPixels);
  return config;
}

std::string VggConfig::torchvision_name() const {
  const VggConfig usual;
  for (const Known& known : kKnown)
    if (depths == known.depths && hidden_sizes == usual.hidden_sizes && classifier_size == usual.classifier_size)
      return concat(known.name, batch_norm ? kBatchNormEnding : "");
  return "vgg";
}

}  // namespace sft
