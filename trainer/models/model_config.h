// The [model] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct ModelConfig {
  std::string model_name_or_path;
  std::string adapter;
  std::string task = "text_classification";
  std::string problem_type;
  int64_t num_labels = 0;
  std::string init = "pretrained";
  std::string pooling = "auto";
  bool ignore_mismatched_sizes = false;
  std::string dtype = "float32";
  Table config = Table::object();

  static constexpr auto fields() {
    return std::tuple{
        field("model_name_or_path", &ModelConfig::model_name_or_path,
              "directory in Hugging Face layout, or an id found in the local hub cache", Path{})
            .changeable(),
        field("adapter", &ModelConfig::adapter,
              "directory of a LoRA adapter of that model, as PEFT or a run leaves it: training goes on from it", Path{})
            .changeable(),
        field("task", &ModelConfig::task, "what is learned; a wrong name is answered with all that there are"),
        field("problem_type", &ModelConfig::problem_type, "\"\": from the data, announced",
              one_of("", "single_label_classification", "multi_label_classification", "regression")),
        field("num_labels", &ModelConfig::num_labels, "classes; 0: from the data", at_least(int64_t{0})),
        field("init", &ModelConfig::init, "random: the architecture only", one_of("pretrained", "random")),
        field("pooling", &ModelConfig::pooling, "what the head sees; auto: what the transformers class does",
              one_of("auto", "cls", "mean", "pooler")),
        field("ignore_mismatched_sizes", &ModelConfig::ignore_mismatched_sizes,
              "a tensor of another shape is made anew, not refused"),
        field("dtype", &ModelConfig::dtype,
              "compute; what trains and the optimizer's state are never narrower than float32",
              one_of("float32", "float64", "bfloat16")
                  .alias("fp32", "float32")
                  .alias("bf16", "bfloat16")
                  .not_built("float16", "fp16"))
            .alias("torch_dtype"),
        field("config", &ModelConfig::config,
              "overrides keys of the model's config.json: { hidden_dropout_prob = 0.0 }")};
  }
};

}  // namespace sft
