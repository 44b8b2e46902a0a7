// A backbone: single-device code that knows nothing of ranks, losses or optimizers.
//
// It is cut into stages: 0 is the embedding, 1 … num_blocks the blocks. A stage range is how freezing skips
// autograd below the lowest trained parameter; `Reads` is what the task will look at, so that the last block
// computes no row that nobody reads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/initial_seed.h"
#include "trainer/models/inputs.h"
#include "trainer/models/parameter.h"

namespace sft {

enum class Reads { all, first };

// What came out: all N packed rows, or one row a sample.
struct Features {
  at::Tensor rows;  // [N, C] for Reads::all, [B, C] for Reads::first
  Reads reads = Reads::all;
};

// Which texts a model can take.
struct TextLimits {
  int64_t vocab_size = 0;
  int64_t max_positions = 0;
  int64_t num_segments = 0;  // token types; 0 where the model has none
};

// The head that a transformers class of the model puts on what was read: dropout, a hidden layer C → C where `hidden`
// names one, dropout, the output layer.
struct HeadShape {
  double input_dropout = 0;  // in front of the hidden layer
  std::string hidden = "";   // "classifier.dense", "pre_classifier"; "": none
  Activation activation = Activation::tanh;
  double dropout = 0;                 // in front of the output layer
  std::string output = "classifier";  // "classifier.out_proj", "fc"
};

class Model {
 public:
  virtual ~Model() = default;

  virtual int num_blocks() const = 0;
  virtual int64_t width() const = 0;                                    // C
  virtual std::optional<TextLimits> text_limits() const { return {}; }  // nothing: it takes no text

  // Names carry the prefix that the transformers task class gives them ("bert.").
  virtual Parameters parameters() const = 0;
  // What is saved and loaded beside them and never trained: running statistics of norms.
  virtual Parameters buffers() const { return {}; }

  // Runs all stages. Dropout is on in the stages set to train, keyed by (seed, draw, token, place).
  Features forward(const Inputs& inputs, Reads reads) {
    return trained_part(frozen_part(inputs, reads), inputs, reads);
  }

  // The stages below `first_trained`, without autograd: what a sample gives again and again as long as nothing there
  // moves. A row a token or a row a sample; undefined where there is no such stage.
  virtual at::Tensor frozen_part(const Inputs& inputs, Reads reads) = 0;
  // The stages from there on.
  virtual Features trained_part(at::Tensor x, const Inputs& inputs, Reads reads) = 0;

  // The pretrained pooler over first rows [B, C] → [B, C]; has_pooler() false where the model has none.
  virtual bool has_pooler() const = 0;
  virtual at::Tensor pool(const at::Tensor& first_BC) = 0;

  // training[s] of each stage 0 … num_blocks: dropout on there. Evaluation passes all false.
  virtual void set_training(const std::vector<bool>& training) = 0;
  virtual void set_first_trained(int stage) = 0;
  virtual void set_dropout_seed(uint64_t seed) = 0;

  // Computes in a type narrower than that of its parameters. ConfigError for a model that does not.
  virtual void set_compute_type(at::ScalarType type);

  // Keeps of each stage its input alone, and computes the rest again in the backward pass. ConfigError for a model that
  // does not.
  virtual void set_gradient_checkpointing();

  // How its BatchNorms find their statistics; a model without them has nothing to do.
  virtual void set_batch_norm(const BatchNormRule&) {}
  // True: stages in which nothing trains are set to train all the same, because their statistics move.
  virtual bool moves_where_frozen() const { return false; }

  // Of the transformers class that reads one row a sample (Reads::first) or every row (Reads::all).
  virtual HeadShape head(Reads reads) const = 0;
  virtual double initializer_range() const = 0;
  // config.json's content with everything the model read, overrides applied; the caller adds architectures and labels.
  virtual const nlohmann::json& config() const = 0;
  // Floating point operations of the matrix products, for the share of the GEMM peak: of a forward pass over so many
  // tokens (or images) in so many samples.
  virtual double flops(int64_t units, int64_t samples, Reads reads) const = 0;
  // "BertForSequenceClassification" for task "text_classification".
  virtual std::string architecture(const std::string& task) const = 0;
  // Prefix of the base model's names: "bert."; a file of the base class lacks it.
  virtual std::string prefix() const = 0;
  // Old spellings of a name in checkpoint files ("LayerNorm.gamma"), canonical one otherwise.
  virtual std::string canonical(const std::string& file_name) const = 0;
  // Where files of the model come in several layouts, it takes over the names of these, for all that it is asked later.
  virtual void adopt_names(const std::vector<std::string>&) {}
};

// From config.json's content: "model_type" picks the folder. Parameters are allocated and initialised at random
// like transformers' (normal of initializer_range, zero biases, one norms) from `seed`; without one what would be
// normal is undefined, and load_pretrained() is to come. ConfigError for an unknown model_type.
std::unique_ptr<Model> make_model(const nlohmann::json& config, const at::Device& device, at::ScalarType dtype,
                                  InitialSeed seed);

// The model_types that there are.
std::vector<std::string> model_types();

}  // namespace sft
