// Simonyan and Zisserman, 2015; He et al., 2016; Sandler et al., 2018; as keras.applications builds them.
#include "trainer/models/keras/architectures.h"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {
namespace {

using nlohmann::json;

// Adds layers to a functional model; each gives back its name, by which others read it.
class Builder {
 public:
  Builder(std::string name, const json& shape) : name_(std::move(name)) {
    json whole = json::array({nullptr});
    for (const json& side : shape) whole.push_back(side);
    layers_.push_back({{"class_name", "InputLayer"},
                       {"name", kInputName},
                       {"config", {{"name", kInputName}, {"batch_input_shape", whole}}},
                       {"inbound_nodes", json::array()}});
  }

  std::string add(const char* kind, const std::string& name, json config, const std::vector<std::string>& inputs) {
    config["name"] = name;
    json node = json::array();
    for (const std::string& input : inputs) node.push_back({input, 0, 0, json::object()});
    layers_.push_back(
        {{"class_name", kind}, {"name", name}, {"config", std::move(config)}, {"inbound_nodes", json::array({node})}});
    return name;
  }

  std::string convolution(const std::string& name, const std::string& x, int64_t filters, int64_t kernel,
                          int64_t stride, bool same, bool bias, const char* activation = "linear") {
    return add("Conv2D", name,
               {{"filters", filters},
                {"kernel_size", kernel},
                {"strides", stride},
                {"padding", same ? "same" : "valid"},
                {"use_bias", bias},
                {"activation", activation}},
               {x});
  }
  std::string norm(const std::string& name, const std::string& x, double epsilon, double momentum) {
    return add("BatchNormalization", name, {{"epsilon", epsilon}, {"momentum", momentum}}, {x});
  }
  std::string dense(const std::string& name, const std::string& x, const json& units, const char* activation) {
    return add("Dense", name, {{"units", units}, {"activation", activation}}, {x});
  }

  json done() const {
    const json& last = layers_.back()["name"];
    return {{"class_name", "Functional"},
            {"config",
             {{"name", name_},
              {"layers", layers_},
              {"input_layers", json::array({json::array({kInputName, 0, 0})})},
              {"output_layers", json::array({json::array({last, 0, 0})})}}}};
  }

  static constexpr char kInputName[] = "input_1";

 private:
  std::string name_;
  json layers_ = json::array();
};

struct Wanted {
  json shape, classes;
  bool has_top = true;
};

json vgg(const std::string& name, const std::vector<int>& depths, const Wanted& wanted) {
  Builder build(name, wanted.shape);
  std::string x = Builder::kInputName;
  for (size_t block = 0; block < depths.size(); ++block) {
    const int64_t filters = block < 3 ? int64_t{64} << block : 512;
    for (int i = 1; i <= depths[block]; ++i)
      x = build.convolution(concat("block", block + 1, "_conv", i), x, filters, 3, 1, true, true, "relu");
    x = build.add("MaxPooling2D", concat("block", block + 1, "_pool"), {{"pool_size", 2}, {"strides", 2}}, {x});
  }
  if (!wanted.has_top) return build.done();
  x = build.add("Flatten", "flatten", json::object(), {x});
  x = build.dense("fc1", x, 4096, "relu");
  x = build.dense("fc2", x, 4096, "relu");
  build.dense("predictions", x, wanted.classes, "softmax");
  return build.done();
}

json resnet(const std::string& name, const std::vector<int>& depths, const Wanted& wanted) {
  constexpr double kEpsilon = 1.001e-5;
  Builder build(name, wanted.shape);
  const auto relu = [&](const std::string& layer, const std::string& x) {
    return build.add("Activation", layer, {{"activation", "relu"}}, {x});
  };
  const auto norm = [&](const std::string& layer, const std::string& x) {
    return build.norm(layer, x, kEpsilon, 0.99);
  };
  std::string x = build.add("ZeroPadding2D", "conv1_pad", {{"padding", 3}}, {Builder::kInputName});
  x = norm("conv1_bn", build.convolution("conv1_conv", x, 64, 7, 2, false, true));
  x = build.add("ZeroPadding2D", "pool1_pad", {{"padding", 1}}, {relu("conv1_relu", x)});
  x = build.add("MaxPooling2D", "pool1_pool", {{"pool_size", 3}, {"strides", 2}}, {x});
  for (size_t stack = 0; stack < depths.size(); ++stack)
    for (int block = 1; block <= depths[stack]; ++block) {
      const std::string at = concat("conv", stack + 2, "_block", block);
      const int64_t filters = int64_t{64} << stack, stride = block == 1 && stack > 0 ? 2 : 1;
      std::string y = norm(at + "_1_bn", build.convolution(at + "_1_conv", x, filters, 1, stride, false, true));
      y = build.convolution(at + "_2_conv", relu(at + "_1_relu", y), filters, 3, 1, true, true);
      y = relu(at + "_2_relu", norm(at + "_2_bn", y));
      std::string shortcut = x;
      if (block == 1) shortcut = build.convolution(at + "_0_conv", x, 4 * filters, 1, stride, false, true);
      y = build.convolution(at + "_3_conv", y, 4 * filters, 1, 1, false, true);
      if (block == 1) shortcut = norm(at + "_0_bn", shortcut);
      x = relu(at + "_out", build.add("Add", at + "_add", json::object(), {shortcut, norm(at + "_3_bn", y)}));
    }
  if (!wanted.has_top) return build.done();
  x = build.add("GlobalAveragePooling2D", "avg_pool", json::object(), {x});
  build.dense("predictions", x, wanted.classes, "softmax");
  return build.done();
}

json mobilenet_v2(const Wanted& wanted) {
  Builder build("mobilenetv2_1.00_224", wanted.shape);
  const auto norm = [&](const std::string& layer, const std::string& x) { return build.norm(layer, x, 1e-3, 0.999); };
  const auto relu6 = [&](const std::string& layer, const std::string& x) {
    return build.add("ReLU", layer, {{"max_value", 6.0}}, {x});
  };
  std::string x = build.convolution("Conv1", Builder::kInputName, 32, 3, 2, true, false);
  x = relu6("Conv1_relu", norm("bn_Conv1", x));
  struct Stack {
    int64_t expansion, filters, blocks, stride;
  };
  int64_t channels = 32;
  std::array<int64_t, 2> sides{};  // 0 where one is open, which Keras pads as even ones
  if (!wanted.shape[0].is_null() && !wanted.shape[1].is_null())
    for (const size_t along : {size_t{0}, size_t{1}}) sides[along] = (wanted.shape[along].get<int64_t>() + 1) / 2;
  int number = 0;
  for (const Stack& stack :
       {Stack{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}})
    for (int64_t block = 0; block < stack.blocks; ++block, ++number) {
      const std::string at = number == 0 ? "expanded_conv_" : concat("block_", number, "_");
      const int64_t stride = block == 0 ? stack.stride : 1;
      std::string y = x;
      if (number > 0) {
        y = norm(at + "expand_BN", build.convolution(at + "expand", y, stack.expansion * channels, 1, 1, true, false));
        y = relu6(at + "expand_relu", y);
      }
      if (stride == 2) {  // Keras's correct_pad: an even side gets a row behind alone
        y = build.add("ZeroPadding2D", at + "pad", {{"padding", {{sides[0] % 2, 1}, {sides[1] % 2, 1}}}}, {y});
        for (int64_t& side : sides) side = (side + 1) / 2;
      }
      y = build.add(
          "DepthwiseConv2D", at + "depthwise",
          {{"kernel_size", 3}, {"strides", stride}, {"use_bias", false}, {"padding", stride == 1 ? "same" : "valid"}},
          {y});
      y = relu6(at + "depthwise_relu", norm(at + "depthwise_BN", y));
      y = norm(at + "project_BN", build.convolution(at + "project", y, stack.filters, 1, 1, true, false));
      x = channels == stack.filters && stride == 1 ? build.add("Add", at + "add", json::object(), {x, y}) : y;
      channels = stack.filters;
    }
  x = relu6("out_relu", norm("Conv_1_bn", build.convolution("Conv_1", x, 1280, 1, 1, false, false)));
  if (!wanted.has_top) return build.done();
  x = build.add("GlobalAveragePooling2D", "global_average_pooling2d", json::object(), {x});
  build.dense("predictions", x, wanted.classes, "softmax");
  return build.done();
}

using Build = json (*)(const Wanted& wanted);

const std::map<std::string, Build>& builders() {
  static const std::map<std::string, Build> all = {
      {"MobileNetV2", mobilenet_v2},
      {"ResNet101",
       [](const Wanted& wanted) {
         return resnet("resnet101", {3, 4, 23, 3}, wanted);
       }},
      {"ResNet152",
       [](const Wanted& wanted) {
         return resnet("resnet152", {3, 8, 36, 3}, wanted);
       }},
      {"ResNet50",
       [](const Wanted& wanted) {
         return resnet("resnet50", {3, 4, 6, 3}, wanted);
       }},
      {"VGG16",
       [](const Wanted& wanted) {
         return vgg("vgg16", {2, 2, 3, 3, 3}, wanted);
       }},
      {"VGG19",
       [](const Wanted& wanted) {
         return vgg("vgg19", {2, 2, 4, 4, 4}, wanted);
       }},
  };
  return all;
}

Wanted read_wanted(const json& content) {
  Wanted wanted{.shape = content.value("input_shape", json({224, 224, 3})),
                .classes = content.value("classes", json(1000))};
  const json top = content.value("include_top", json(true));
  const auto is_side = [](const json& side) {
    return side.is_null() || (side.is_number_integer() && side >= 1 && side <= 1 << 16);
  };
  const bool good = wanted.shape.is_array() && wanted.shape.size() == 3 && is_side(wanted.shape[0]) &&
                    is_side(wanted.shape[1]) && is_side(wanted.shape[2]) && top.is_boolean();
  if (!good)
    throw ConfigError("model.config: input_shape must be [height, width, channels], and include_top true or false");
  wanted.has_top = top.get<bool>();
  return wanted;
}

}  // namespace

json named_architecture(const json& content) {
  const json& name = content.at("architecture");
  const auto found = builders().find(name.is_string() ? name.get<std::string>() : name.dump());
  if (found != builders().end()) return found->second(read_wanted(content));
  std::vector<std::string> built;
  for (const auto& [known, build] : builders()) built.push_back(known);
  throw ConfigError(
      concat("model.config: architecture ", in_quotes(name.dump()), " is not built; built: ", join(built, ", ")));
}

}  // namespace sft::keras
