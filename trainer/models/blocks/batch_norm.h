// Batch normalisation (Ioffe and Szegedy, 2015) of channels, and whose batch it is.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// Sums over all ranks that share a batch. Declared here because a model knows no ranks; whoever does implements it.
class BatchStatistics {
 public:
  virtual ~BatchStatistics() = default;
  // In place, on the model's device and in the order of its queue; float64, contiguous. Every rank calls equally often.
  virtual void sum(at::Tensor& values) = 0;
};

enum class BatchNormMode {
  frozen,        // running statistics normalise and stay still
  local,         // those of this rank's micro-batch
  synchronized,  // those of all ranks' micro-batches together: one big batch, forward and backward
};

struct BatchNormRule {
  BatchNormMode mode = BatchNormMode::local;
  bool still_where_frozen = true;   // a norm whose parameters do not train is as in BatchNormMode::frozen
  BatchStatistics* over = nullptr;  // of BatchNormMode::synchronized; borrowed
};

struct BatchNorm {
  at::Tensor weight, bias;               // [C]
  at::Tensor running_mean, running_var;  // [C]
  at::Tensor num_batches_tracked;        // int64 scalar
  double eps = 1e-5;
  double momentum = 0.1;
  // Whether running_var takes its share of the variance that divides by n − 1, as torch's, or of the one by n, as
  // Keras 3's.
  bool unbiased = true;
};

// x [B, C, H, W] by the running statistics.
at::Tensor batch_norm_by_running(const at::Tensor& x_BCHW, const BatchNorm& norm);

// By those of x, or where `over` is there, of all ranks' x together; the running statistics take their share of them,
// as BatchNorm::unbiased says. One value a channel has no variance: it comes out as the bias and the running statistics
// stay.
at::Tensor batch_norm_by_batch(const at::Tensor& x_BCHW, const BatchNorm& norm, BatchStatistics* over);

}  // namespace sft
