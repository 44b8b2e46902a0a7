#include "trainer/models/keras/preprocessing.h"

#include <algorithm>
#include <map>
#include <regex>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"

namespace sft::keras {
namespace {

using nlohmann::json;

const std::map<std::string, Preprocessing>& modes() {
  static const std::map<std::string, Preprocessing> all = {
      {"caffe", {{123.68 / 255, 116.779 / 255, 103.939 / 255}, {1.0 / 255, 1.0 / 255, 1.0 / 255}, /*blue_first=*/true}},
      {"raw", {{0, 0, 0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}}},
      {"tf", {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}},
      {"torch", {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}},
      {"unit", {{0, 0, 0}, {1, 1, 1}}},
  };
  return all;
}

bool scales_itself(const Graph& graph) {
  const GraphLayer& first = graph.layers.front();
  if (first.nested) return scales_itself(*first.nested);
  return first.kind == "Rescaling" || first.kind == "Normalization";
}

// By the names that keras.applications gives its models, and nested ones keep.
std::string mode_of_name(const Graph& graph) {
  static const std::vector<std::pair<std::regex, const char*>> kNames = {
      {std::regex("vgg(16|19)|resnet(50|101|152)"), "caffe"},
      {std::regex("mobilenet.*|xception|inception.*|resnet.*v2|nasnet.*"), "tf"},
      {std::regex("densenet.*"), "torch"}};
  std::string name = graph.name.substr(0, 64);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const auto& [pattern, mode] : kNames)
    if (std::regex_match(name, pattern)) return mode;
  for (const GraphLayer& layer : graph.layers)
    if (layer.nested)
      if (std::string mode = mode_of_name(*layer.nested); !mode.empty()) return mode;
  return "";
}

std::string guessed(const Graph& graph) {
  if (scales_itself(graph)) return "raw";
  const std::string known = mode_of_name(graph);
  if (!known.empty()) {
    log::warn_once(
        concat("a Keras file does not say how its pixels were scaled; by the model's name they are taken as ",
               in_quotes(known), "; model.config = { preprocessing = … } says otherwise"));
    return known;
  }
  log::warn_once(
      "a Keras file does not say how its pixels were scaled; they are taken as 0 … 1 (p/255). "
      "model.config = { preprocessing = \"tf\" } is −1 … 1, \"caffe\" blue first less ImageNet's means, "
      "\"torch\" torchvision's, \"raw\" 0 … 255, \"unit\" 0 … 1");
  return "unit";
}

std::vector<double> channels(const json& content, const char* key) {
  const json& value = content[key];
  const bool good = value.is_array() && value.size() == 3 &&
                    std::ranges::all_of(value, [](const json& number) { return number.is_number(); });
  if (!good) throw ConfigError(concat("config.json: ", key, " must be three numbers, found ", value.dump()));
  return value.get<std::vector<double>>();
}

Preprocessing as_said(const json& content) {
  Preprocessing said{channels(content, "image_mean"), channels(content, "image_std")};
  const json order = content.value("channel_order", json("rgb"));
  if (order != "rgb" && order != "bgr")
    throw ConfigError(concat("config.json: channel_order must be \"rgb\" or \"bgr\", found ", order.dump()));
  said.blue_first = order == "bgr";
  if (std::ranges::any_of(said.std, [](double one) { return !(one > 0); }))
    throw ConfigError("config.json: image_std must be three numbers above 0");
  return said;
}

}  // namespace

Preprocessing read_preprocessing(json& content, const Graph& graph) {
  const bool is_named = content.contains("preprocessing");
  if (!is_named && (content.contains("image_mean") || content.contains("image_std"))) {
    if (!content.contains("image_mean")) content["image_mean"] = {0, 0, 0};
    if (!content.contains("image_std")) content["image_std"] = {1, 1, 1};
    return as_said(content);
  }
  const json name = is_named ? content["preprocessing"] : json(guessed(graph));
  const auto found = modes().find(name.is_string() ? name.get<std::string>() : name.dump());
  if (found == modes().end()) {
    std::vector<std::string> names;
    for (const auto& [mode, values] : modes()) names.push_back(mode);
    throw ConfigError(
        concat("model.config: preprocessing must be one of ", join(names, ", "), ", found ", name.dump()));
  }
  content["image_mean"] = found->second.mean;
  content["image_std"] = found->second.std;
  content["channel_order"] = found->second.blue_first ? "bgr" : "rgb";
  content.erase("preprocessing");
  return found->second;
}

}  // namespace sft::keras
