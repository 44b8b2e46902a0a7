// A backbone: single-device code that knows nothing of ranks, losses or optimizers.
//
// A model is cut into stages: 0 is the embedding, 1 … num_blocks the blocks. The learner runs them, so a model knows
// nothing of freezing, recomputing or caches. The inputs say which rows the task will look at: the last block computes
// no other.
//
// A model that reads a source and writes a target has E blocks of its encoder and D of its decoder in one row of
// stages: 0 is the source's embedding, 1 … E the encoder's blocks, E + 1 the target's embedding, E + 2 … E + 1 + D the
// decoder's blocks, so that num_blocks = E + 1 + D.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/inputs.h"
#include "trainer/models/model_settings.h"
#include "trainer/models/parameter.h"

namespace sft {

enum class Takes { texts, pictures };

// Whether dropout falls and running statistics move in a stage.
enum class Mode { evaluation, training };

// What keys the dropout of adapters on rows of a stage.
inline RowKeys row_keys(Mode mode, const at::Tensor& draws, const at::Tensor& positions) {
  return mode == Mode::training ? RowKeys{draws, positions} : RowKeys{};
}

// Which texts a model can take.
struct TextLimits {
  static constexpr int64_t kUnlimited = int64_t{1} << 40;

  int64_t vocab_size = 0;
  int64_t max_positions = 0;  // kUnlimited where positions are distances
  int64_t num_segments = 0;   // token types; 0 where the model has none
};

// What a model that reads a source and writes a target says of its two sides. Its TextLimits are of the source.
struct PairFacts {
  int encoder_blocks = 0;         // E
  int64_t target_vocab_size = 0;  // V
  int64_t start_id = 0;           // the token that a decoder is fed with first
};

// How a fully connected layer of a head is named, kept in files and drawn: as torch does, "name.weight" [out, in] and
// "name.bias", normal values of the model's initializer_range(); or as Keras does, "name/kernel" [in, out] and
// "name/bias", Glorot's uniform values.
enum class LayerForm { torch, keras };

// A layer norm of a head.
struct HeadNorm {
  std::string name;  // "head.norm"
  double eps = 1e-5;
  bool has_bias = false;
};

// The head that a transformers class of the model puts on what was read: dropout, a hidden layer C → C where `hidden`
// names one, activation, a norm where there is one, dropout, the output layer.
struct HeadShape {
  double input_dropout = 0;  // in front of the hidden layer
  std::string hidden = "";   // "classifier.dense", "pre_classifier"; "": none
  bool hidden_has_bias = true;
  Activation activation = Activation::tanh;
  std::optional<HeadNorm> norm = {};  // of the activation
  double dropout = 0;                 // in front of the output layer
  std::string output = "classifier";  // "classifier.out_proj", "fc"; "": none, the features are the logits
  bool has_bias = true;               // the output layer
  Reads reads = Reads::first;         // the row that stands for a sample: the first, a decoder's last; all: their mean
  std::string pooling_key = "";       // of config.json, which says that row: "classifier_pooling"; "": none
  LayerForm form = LayerForm::torch;  // of the output layer
  // Of the weights where they are drawn; nothing: the model's initializer_range().
  std::optional<double> hidden_deviation = {}, output_deviation = {};
  std::optional<double> cutoff = {};  // no weight is drawn farther from zero than so many deviations
};

// What prepares pictures for a model in transformers.
struct ImageProcessor {
  const char* type = "ViTImageProcessor";
  bool takes_masks = false;  // too
  bool takes_boxes = false;  // too: pictures are padded to a square then
};

// A fully connected layer that an adapter may be put on.
struct NamedLinear {
  std::string name;             // of transformers' module, "bert.encoder.layer.0.attention.self.query"
  Linear* layer;                // of the model, as long as it lives
  int stage = 0;                // as Parameter::stage
  bool fan_in_fan_out = false;  // files hold its weight as [in, out]
};

class Model {
 public:
  virtual ~Model() = default;

  virtual int num_blocks() const = 0;
  virtual int64_t width() const = 0;                                    // C
  virtual std::optional<TextLimits> text_limits() const { return {}; }  // nothing: it takes no text
  virtual std::optional<PairFacts> pair() const { return {}; }          // nothing: it reads one stream of tokens
  // The least side of pictures that it can take, in pixels.
  virtual int64_t least_side() const { return 1; }
  virtual ImageProcessor image_processor() const { return {}; }
  // The columns that it reads: by its limits "tokens" and "segments" of texts, else "pixels" of three colours.
  virtual Needs needs() const;

  // Names carry the prefix that the transformers task class gives them ("bert.").
  virtual Parameters parameters() const = 0;
  // Saved and loaded beside the parameters, and never trained: running statistics of norms.
  virtual Parameters buffers() const { return {}; }

  // The fully connected layers in forward order, those of a head left out. What stands in Linear::adapter when a stage
  // runs takes part in it.
  virtual std::vector<NamedLinear> linears() { return {}; }

  // Parameter::stage of the pooler and of a task's head, which stand on top of the others.
  int num_stages() const { return num_blocks() + 1; }  // that stage() runs
  int pooler_stage() const { return num_blocks() + 1; }
  int head_stage() const { return num_blocks() + 2; }

  // Stage s = 0 … num_blocks on what stage s − 1 returned (undefined before stage 0). Rows are [N, …] of texts, [B, …]
  // of pictures, [N_s, C] of sources alone and [N_s + N_t, C] of sources with the rows of their targets behind them;
  // the last stage returns only those that are read. Dropout is keyed by (seed, draw, token, place).
  virtual at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) = 0;
  // Of what the last stage returned: [M, C] of the M rows that are read, [B, C] of pictures, in the parameters' type.
  virtual at::Tensor features(const at::Tensor& x) const = 0;

  // Whether a stage itself runs the layers whose parameters are said to be of it.
  virtual bool runs_stage_by_stage() const { return true; }

  // Called before the stages of a pass: copies of weights in a narrower type follow weights that have moved.
  virtual void follow_weights() {}
  // Whether it reads parameters, of any stage: they are to be there.
  virtual bool copies_weights() const { return false; }
  // How many blocks, one after another, run on the same weights, which are of the stage of the lowest of them.
  virtual int blocks_sharing_weights() const { return 1; }
  // Whether several blocks add to the gradient of one parameter, which comes in as many parts where they run again.
  virtual bool blocks_share_parameters() const { return pair() || blocks_sharing_weights() > 1; }
  // How many of the lowest stages give rows that are of one sample each, sample after sample: what these give can be
  // kept by sample.
  virtual int num_cacheable_stages() const { return num_stages(); }
  // Whether norms take what they see from a batch: statistics would move twice where a stage runs twice.
  virtual bool has_batch_norms() const { return false; }
  // Whether a stage that is run again on the same input gives the same bits and moves nothing, as gradient
  // checkpointing wants it.
  virtual bool repeats_stages() const { return !has_batch_norms(); }

  // The pretrained pooler over first rows [B, C] → [B, C], keyed as B rows; has_pooler() false where the model has
  // none.
  virtual bool has_pooler() const = 0;
  virtual at::Tensor pool(const at::Tensor& first_BC, const RowKeys& keys) = 0;

  // Whether a stage runs in training as soon as one below it trains: of a stage without parameters, whose dropout
  // falls.
  virtual bool trains_with_those_below(int /*stage*/) const { return false; }
  // What stages 0 … num_blocks are called, for a person; empty: their numbers say it all.
  virtual std::vector<std::string> stage_names() const { return {}; }

  // True: the stage runs in Mode::training although nothing in it trains, because its statistics move.
  virtual bool moves_where_frozen(int /*stage*/) const { return false; }

  // Of the transformers class that classifies samples, of the one that classifies tokens, and of one that gives every
  // token scores by an output layer of that name.
  virtual HeadShape sequence_head() const = 0;
  virtual HeadShape token_head() const { return sequence_head(); }
  virtual HeadShape output_head(const std::string& name) const { return {.output = name}; }
  // The table of words [V, C] where config.json ties the output layer of a language model to it; undefined: that layer
  // is a parameter of its own.
  virtual at::Tensor output_embedding() const { return {}; }
  // Added to the logits of a language model [V], and never trained: Marian's buffer. Undefined: none.
  virtual at::Tensor output_bias() const { return {}; }
  virtual double initializer_range() const = 0;
  // config.json's content with everything the model read, overrides applied; the caller adds architectures and labels.
  virtual const nlohmann::json& config() const = 0;
  // Floating point operations of the matrix products, for the share of the GEMM peak: of a forward pass over so many
  // tokens (or images), of which so many are read.
  virtual double flops(int64_t units, int64_t read) const = 0;
  // The transformers class with that ending: "BertForSequenceClassification". ConfigError where the family has none.
  virtual std::string architecture(const std::string& class_ending) const = 0;
  // Prefix of the base model's names: "bert."; a file of the base class lacks it.
  virtual std::string prefix() const = 0;
  // Old spellings of a name in checkpoint files ("LayerNorm.gamma"), canonical one otherwise; "" for what old files
  // hold and nobody needs.
  virtual std::string canonical(const std::string& file_name) const = 0;
  // How the names of a part above the pretrained trunk begin, "decode_head.", which comes new where files hold none of
  // it; "": there is no such part.
  virtual std::string new_part() const { return ""; }
};

// ConfigError with the least side where pictures of height × width pixels are smaller than the model takes.
void require_side(const Model& model, int64_t height, int64_t width);

// From config.json's content: "model_type" picks the folder. Parameters are allocated and initialised at random like
// transformers' (normal of initializer_range, zero biases, one norms). ConfigError for an unknown model_type, or for
// settings that the model cannot follow.
std::unique_ptr<Model> make_model(const nlohmann::json& config, const ModelSettings& settings);

// By "model_type" of config.json's content; texts where that is unknown.
Takes takes_of(const nlohmann::json& config);

// The model_types that there are.
std::vector<std::string> model_types();

}  // namespace sft
