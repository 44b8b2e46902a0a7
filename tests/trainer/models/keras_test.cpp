// The graph of a Keras model, and what is told where it is none. That its numbers are Keras's,
// tests/parity/keras_models.py says.
#include "trainer/models/keras/keras.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/models/keras/architectures.h"
#include "trainer/models/model.h"

namespace sft {
namespace {

using nlohmann::json;

json layer(const std::string& kind, const std::string& name, json config, const std::vector<std::string>& inputs) {
  json node = json::array();
  for (const std::string& input : inputs) node.push_back({input, 0, 0, json::object()});
  config["name"] = name;
  return {{"class_name", kind},
          {"name", name},
          {"config", config},
          {"inbound_nodes", inputs.empty() ? json::array() : json::array({node})}};
}

json dense(const std::string& name, const std::string& input, const char* activation = "softmax") {
  return layer("Dense", name, {{"units", 4}, {"activation", activation}}, {input});
}
json convolution(const std::string& name, const std::string& input) {
  return layer("Conv2D", name, {{"filters", 2}, {"kernel_size", 3}, {"padding", "same"}}, {input});
}
json entry(const json& shape = {nullptr, 8, 8, 3}) {
  return layer("InputLayer", "in", {{"batch_input_shape", shape}}, {});
}

json content_of(const json& layers, const std::string& output) {
  return {{"model_type", "keras"},
          {"keras_version", "2.15.0"},
          {"preprocessing", "raw"},
          {"keras_config",
           {{"class_name", "Functional"},
            {"config",
             {{"name", "net"},
              {"layers", layers},
              {"input_layers", json::array({{"in", 0, 0}})},
              {"output_layers", json::array({{output, 0, 0}})}}}}}};
}

std::string refusal(const json& content) {
  try {
    make_model(content, {.seed = 1});
  } catch (const Error& error) {
    return error.what();
  }
  return "it was taken";
}

void expect_refused(const json& layers, const std::string& output, const std::string& part) {
  const std::string why = refusal(content_of(layers, output));
  EXPECT_NE(why.find(part), std::string::npos) << why;
}

const json kFlat = layer("Flatten", "flat", json::object(), {"conv"});

TEST(Keras, ReadsAGraph) {
  const auto model =
      make_model(content_of({entry(), convolution("conv", "in"), kFlat, dense("out", "flat")}, "out"), {.seed = 1});
  EXPECT_EQ(model->num_blocks(), 2);  // the output layer is the head
  EXPECT_EQ(model->width(), 8 * 8 * 2);
  EXPECT_EQ(model->sequence_head().output, "out");
  EXPECT_EQ(model->stage_names().back(), "flat (Flatten)");
}

// Parameters may come and go with a stage where it runs the layer that they are of, and a branch runs at its end.
TEST(Keras, RunsStageByStageWhereNoLayerBranchesOff) {
  const json chain = {entry(), convolution("conv", "in"), kFlat, dense("out", "flat")};
  EXPECT_TRUE(make_model(content_of(chain, "out"), {.seed = 1})->runs_stage_by_stage());
  const json branches = {entry(),
                         convolution("first", "in"),
                         convolution("second", "first"),
                         layer("Add", "conv", json::object(), {"first", "second"}),
                         kFlat,
                         dense("out", "flat")};
  EXPECT_FALSE(make_model(content_of(branches, "out"), {.seed = 1})->runs_stage_by_stage());
}

TEST(Keras, NamesTheLayerThatIsNotOfAGraph) {
  expect_refused({entry(), convolution("conv", "flat"), kFlat, dense("out", "flat")}, "out",
                 "layer 'conv' (Conv2D): reads the layer 'flat', which stands behind it: the layers form a cycle");
  expect_refused({entry(), convolution("conv", "nowhere"), kFlat, dense("out", "flat")}, "out",
                 "reads the layer 'nowhere', which the model does not have");
  expect_refused({entry(), convolution("conv", "in"), convolution("idle", "in"), kFlat, dense("out", "flat")}, "out",
                 "layer 'idle' (Conv2D): nobody reads what it gives");
  expect_refused({entry(), convolution("conv", "in"), convolution("conv", "in")}, "conv",
                 "two layers are called 'conv'");
  json shared = convolution("conv", "in");
  shared["inbound_nodes"].push_back(shared["inbound_nodes"][0]);
  expect_refused({entry(), shared, kFlat, dense("out", "flat")}, "out", "shared layers are not built");
  expect_refused({entry(), layer("InputLayer", "in2", {{"batch_shape", {nullptr, 8}}}, {}), dense("out", "in2")}, "out",
                 "several inputs");
}

TEST(Keras, NamesTheLayerThatIsNotBuiltOrMalformed) {
  expect_refused({entry(), layer("Lambda", "conv", {{"function", "4wE"}}, {"in"}), kFlat, dense("out", "flat")}, "out",
                 "layer 'conv' (Lambda): holds Python code, which is never run");
  expect_refused({entry(), layer("Conv3D", "conv", json::object(), {"in"}), kFlat, dense("out", "flat")}, "out",
                 "layer 'conv' (Conv3D): this kind of layer is not built (did you mean 'Conv2D'?)");
  json odd = convolution("conv", "in");
  odd["config"]["filters"] = -3;
  expect_refused({entry(), odd, kFlat, dense("out", "flat")}, "out",
                 "filters must be an integer from 1 to 1048576, found '-3'");
  odd["config"]["filters"] = 1 << 20;
  odd["config"]["kernel_size"] = 1000;
  expect_refused({entry({nullptr, 2000, 2000, 3}), odd, layer("GlobalMaxPooling2D", "flat", json::object(), {"conv"}),
                  dense("out", "flat")},
                 "out", "memory");
  odd = convolution("conv", "in");
  odd["config"]["data_format"] = "channels_first";
  expect_refused({entry(), odd, kFlat, dense("out", "flat")}, "out", "channels_first");
  expect_refused({entry(), layer("MaxPooling2D", "conv", {{"pool_size", 9}}, {"in"}), kFlat, dense("out", "flat")},
                 "out", "its window of 9 × 9 is larger than the [8, 8, 3] that it gets");
  expect_refused(
      {entry(), convolution("conv", "in"), layer("Add", "sum", json::object(), {"conv", "in"}), dense("out", "sum")},
      "out", "reads [8, 8, 2] and [8, 8, 3], which do not go together");
  expect_refused({entry({nullptr, 8, 8, 4}), convolution("conv", "in"), kFlat, dense("out", "flat")}, "out",
                 "[height, width, 3]");
  expect_refused({entry(), convolution("conv", "in"), kFlat, dense("out", "flat", "sigmoid")}, "out",
                 "the model ends in '\"sigmoid\"'");
}

TEST(Keras, CountsNestedModelsAndEndsAtSixteen) {
  json inner = content_of({entry(), convolution("conv", "in")}, "conv")["keras_config"];
  for (int depth = 0; depth < 20; ++depth) {
    json nested = {{"class_name", "Functional"},
                   {"name", "net"},
                   {"config", inner["config"]},
                   {"inbound_nodes", layer("", "", json::object(), {"in"})["inbound_nodes"]}};
    inner = content_of({entry(), nested}, "net")["keras_config"];
  }
  json content = content_of({}, "out");
  content["keras_config"] = inner;
  EXPECT_NE(refusal(content).find("nested deeper than 16"), std::string::npos) << refusal(content);
}

// layers[:-3] of a model whose output layer is replaced leaves that and the two layers before it.
TEST(Keras, TakesTheLastLayerWithWeightsAway) {
  json content = content_of({entry(), convolution("conv", "in"), kFlat, dense("hidden", "flat", "relu"),
                             layer("Dropout", "drop", {{"rate", 0.5}}, {"hidden"}), dense("out", "drop", "linear"),
                             layer("Activation", "soft", {{"activation", "softmax"}}, {"out"})},
                            "soft");
  content["output_layer"] = "new";
  const auto model = make_model(content, {.seed = 1});
  EXPECT_EQ(model->num_blocks(), 4);
  EXPECT_EQ(model->stage_names().back(), "drop (Dropout)");
  EXPECT_EQ(model->sequence_head().output, "output");
}

// A softmax inside of a last model that has no weights cannot be taken away alone.
TEST(Keras, KeepsANestedModelThatEndsInASoftmax) {
  json end = content_of({entry({nullptr, 2}), layer("ReLU", "relu", json::object(), {"in"}),
                         layer("Softmax", "soft", json::object(), {"relu"})},
                        "soft")["keras_config"];
  end["name"] = "end";
  end["inbound_nodes"] = layer("", "", json::object(), {"pool"})["inbound_nodes"];
  expect_refused({entry(), convolution("first", "in"), convolution("conv", "first"),
                  layer("GlobalAveragePooling2D", "pool", json::object(), {"conv"}), end},
                 "end", "its softmax is no layer of its own");
}

// As keras.applications.MobileNetV2 of Keras 3 pads.
TEST(Keras, PadsTheSidesOfMobileNetV2EachByItself) {
  const auto pads_of = [](const json& shape) {
    json pads = json::array();
    const json model = keras::named_architecture({{"architecture", "MobileNetV2"}, {"input_shape", shape}});
    for (const json& layer : model["config"]["layers"])
      if (layer["class_name"] == "ZeroPadding2D") pads.push_back(layer["config"]["padding"]);
    return pads.dump();
  };
  EXPECT_EQ(pads_of({65, 50, 3}), "[[[1,1],[1,1]],[[1,1],[1,1]],[[1,1],[1,1]],[[1,1],[0,1]]]");
  EXPECT_EQ(pads_of({51, 98, 3}), "[[[0,1],[1,1]],[[1,1],[1,1]],[[1,1],[1,1]],[[0,1],[1,1]]]");
  EXPECT_EQ(pads_of({nullptr, nullptr, 3}), "[[[0,1],[0,1]],[[0,1],[0,1]],[[0,1],[0,1]],[[0,1],[0,1]]]");
}

TEST(Keras, KnowsTheArchitecturesByName) {
  for (const auto& [name, layers, width] :
       {std::tuple{"VGG16", 21, 4096}, {"ResNet50", 175, 2048}, {"MobileNetV2", 154, 1280}}) {
    json content = {
        {"model_type", "keras"}, {"architecture", name}, {"input_shape", {64, 64, 3}}, {"preprocessing", "raw"}};
    const auto model = make_model(content, {});
    EXPECT_EQ(model->num_blocks(), layers) << name;  // without the input layer and the output layer
    EXPECT_EQ(model->width(), width) << name;
  }
}

}  // namespace
}  // namespace sft
