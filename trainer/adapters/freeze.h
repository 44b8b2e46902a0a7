// Which parameters train. A frozen one has no gradient, no optimizer state, and is in no bucket.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.h"
#include "trainer/models/parameter.h"

namespace sft {

struct FreezeConfig {
  StringList freeze;
  StringList trainable;
  int64_t all_but_last = -1;
  std::string cache = "off";
  bool freeze_batch_norm_statistics = true;

  static constexpr auto fields() {
    return std::tuple{field("freeze", &FreezeConfig::freeze, "regexes searched in Hugging Face parameter names"),
                      field("trainable", &FreezeConfig::trainable, "regexes that win over freeze"),
                      field("all_but_last", &FreezeConfig::all_but_last,
                            "n >= 0: train the head and the last n blocks only", at_least(int64_t{-1})),
                      field("cache", &FreezeConfig::cache,
                            "the activations of the frozen stages, computed once for each row: in memory, or on disk "
                            "(beside the prepared shards) for later runs too",
                            one_of("off", "memory", "disk"))
                          .changeable(),
                      field("freeze_batch_norm_statistics", &FreezeConfig::freeze_batch_norm_statistics,
                            "BatchNorm statistics of frozen parts stay still")};
  }
};

// trained[i] of parameters[i]. num_blocks is the model's; stages above it are pooler (num_blocks + 1) and head
// (num_blocks + 2). all_but_last = 0 leaves the head alone to train, n ≥ 1 the head, the pooler and the last n blocks.
// Of `blocks_sharing_weights` on end all train or none.
// On top of it parameters that a `freeze` regex finds are frozen, then those that a `trainable` regex finds train.
// ConfigError for a regex that is malformed, matches nothing or is undone by `trainable` altogether, for more blocks
// than there are or others than share their weights, and where nothing is left to train.
std::vector<bool> choose_trained(const FreezeConfig& config, const Parameters& parameters, int num_blocks,
                                 int blocks_sharing_weights = 1);

// ConfigError for a key that says which parameters train: beside adapters, these and the head do and all else is
// frozen.
void refuse_beside_adapters(const FreezeConfig& config);

// Of a model whose stages have names: "layers (+ trained, - frozen): input, - conv1 (Conv2D), + output". `names` of
// stages 0 … n.
std::string layers_of(std::vector<std::string> names, const Parameters& parameters, const std::vector<bool>& trained);

// "training 21,945 of 22,735,161 parameters (2 of 103 tensors)".
std::string summary_of(const Parameters& parameters, const std::vector<bool>& trained);

}  // namespace sft
