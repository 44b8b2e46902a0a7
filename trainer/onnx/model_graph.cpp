// The list of families.
#include "trainer/onnx/model_graph.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/onnx/head.h"
#include "trainer/onnx/modernbert.h"
#include "trainer/onnx/patch_encoder.h"
#include "trainer/onnx/post_norm_encoder.h"
#include "trainer/onnx/resnet.h"
#include "trainer/tasks/blocks/logits_task.h"

namespace sft::onnx {
namespace {

// Declares what the model is given, and gives what the head reads.
struct Family {
  const char* model_type;
  Value (*read)(Graph& graph, const Model& model, const HeadFacts& head);
};

template <auto encode>
Value texts(Graph& graph, const Model& model, const HeadFacts& head) {
  const TextInput input = text_input(graph, *model.text_limits());
  return read_of_texts(graph, head, input, encode(graph, model, input));
}

template <auto encode>
Value pictures(Graph& graph, const Model& model, const HeadFacts&) {
  return encode(graph, model);
}

constexpr Family kFamilies[] = {
    {"albert", texts<post_norm_encoder>},    {"bert", texts<post_norm_encoder>},
    {"camembert", texts<post_norm_encoder>}, {"dinov2", pictures<class_token_and_patches>},
    {"distilbert", texts<post_norm_encoder>}, {"electra", texts<post_norm_encoder>},
    {"modernbert", texts<modernbert>},       {"resnet", pictures<resnet>},
    {"roberta", texts<post_norm_encoder>},   {"vit", pictures<class_token>},
    {"xlm-roberta", texts<post_norm_encoder>},
};

const Family& family_of(const Model& model) {
  const auto model_type = model.config().at("model_type").get<std::string>();
  std::vector<std::string> there_are;
  for (const Family& family : kFamilies) {
    if (model_type == family.model_type) return family;
    there_are.emplace_back(family.model_type);
  }
  throw ConfigError(concat("model_type ", in_quotes(model_type), " is not exported as ONNX; there are: ",
                           join(there_are, ", "), ". optimum exports others from the directory that export --output ",
                           "makes"));
}

}  // namespace

Graph model_graph(const Model& model, const Task& task, const ExportedTensors& tensors) {
  const Family& family = family_of(model);
  const auto* of_logits = dynamic_cast<const LogitsTask*>(&task);
  const std::optional<HeadFacts> head = of_logits != nullptr ? of_logits->head() : std::nullopt;
  if (!head)
    throw ConfigError("the model's task is not exported as ONNX; heads that classify texts, their words or images, "
                      "give numbers, or find answers are");
  Graph graph(tensors);
  add_head(graph, *head, family.read(graph, model, *head));
  return graph;
}

}  // namespace sft::onnx
