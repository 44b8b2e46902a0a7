// The [lora] section: low-rank adapters (Hu et al. 2021) in place of the weights.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

// Names and defaults of PEFT's LoraConfig, but for r: without an r there are no adapters.
struct LoraConfig {
  int64_t r = 0;
  double lora_alpha = 8;
  double lora_dropout = 0;
  StringList target_modules = {};
  bool use_rslora = false;
  std::string exports = "both";

  bool is_on() const { return r > 0; }
  // s of W + s · B A. rsLoRA: Kalajdzievski 2023.
  double scale() const {
    const auto rank = static_cast<double>(r);
    return lora_alpha / (use_rslora ? std::sqrt(rank) : rank);
  }

  static constexpr auto fields() {
    return std::tuple{
        field("r", &LoraConfig::r, "rank of the adapters; 0: none, all weights train", at_least(int64_t{0}))
            .alias("lora_r")
            .alias("lora_rank"),
        field("lora_alpha", &LoraConfig::lora_alpha, "what an adapter gives is scaled by lora_alpha / r", above(0.0)),
        field("lora_dropout", &LoraConfig::lora_dropout, "of the adapters' input alone", at_least(0.0).below(1.0)),
        field("target_modules", &LoraConfig::target_modules,
              "\"all-linear\", or ends of module names; left out: PEFT's for the model's type"),
        field("use_rslora", &LoraConfig::use_rslora, "scale by lora_alpha / sqrt(r)"),
        field("export", &LoraConfig::exports,
              "model/ with the adapters merged into the weights, adapter/ as PEFT reads it, or both",
              one_of("both", "adapter", "merged"))
            .changeable()};
  }
};

}  // namespace sft
