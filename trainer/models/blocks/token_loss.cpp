#include "trainer/models/blocks/token_loss.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/held_weight.h"
#include "trainer/models/blocks/matrix_product.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/blocks/token_loss_kernels.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kPieceBytes = int64_t{64} << 20;

// In host memory, but for the bias.
struct RowTargets {
  std::span<const int64_t> targets;
  at::Tensor bias_V = {};
  std::vector<double> factors = {};  // of gradients; empty: none is wanted
  double smoothing = 0;
};

struct RowLosses {
  std::vector<double> surprise, smoothed;
  std::vector<int64_t> best;
  std::vector<at::Tensor> there;  // of a device where the likeliest words are not wanted: smoothed, piece after piece
};

void loss_on_host(at::Tensor& logits, const RowTargets& rows, int64_t first, RowLosses& losses) {
  AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "token_rows", [&] {
    TokenRows<scalar_t> piece{.num_words = logits.size(1),
                              .smoothing = rows.smoothing,
                              .logits = logits.data_ptr<scalar_t>(),
                              .targets = rows.targets.data() + first,
                              .factors = rows.factors.empty() ? nullptr : rows.factors.data() + first,
                              .surprise = losses.surprise.data() + first,
                              .smoothed = losses.smoothed.data() + first,
                              .best = losses.best.empty() ? nullptr : losses.best.data() + first};
    at::parallel_for(0, logits.size(0), 1, [&](int64_t begin, int64_t end) { token_rows(piece, begin, end); });
  });
}

// The same by ATen's kernels. While a model trains its host waits for nothing.
void loss_on_device(at::Tensor& logits, const RowTargets& rows, int64_t first, RowLosses& losses) {
  const int64_t count = logits.size(0), words = logits.size(1);
  const auto begin = static_cast<size_t>(first), size = static_cast<size_t>(count);
  const at::Tensor targets = sent(rows.targets.subspan(begin, size), logits.device());
  const at::Tensor likely = at::log_softmax(logits, 1);
  const at::Tensor surprise = likely.gather(1, targets.unsqueeze(1)).squeeze(1).neg().to(at::kDouble);
  const at::Tensor smoothed = surprise * (1 - rows.smoothing) - likely.mean(1).to(at::kDouble) * rows.smoothing;
  if (losses.best.empty()) {
    losses.there.push_back(smoothed);
  } else {
    const at::Tensor best = at::argmax(logits, 1).cpu(), host_surprise = surprise.cpu();
    std::copy_n(best.const_data_ptr<int64_t>(), count, losses.best.begin() + first);
    std::copy_n(host_surprise.const_data_ptr<double>(), count, losses.surprise.begin() + first);
  }
  if (rows.factors.empty()) return;
  const at::Tensor factors = sent(at::tensor(at::makeArrayRef(rows.factors.data() + begin, size)), logits.options());
  logits = likely.exp().sub_(rows.smoothing / static_cast<double>(words));
  logits.index_put_({at::arange(count, targets.options()), targets},
                    at::full({count}, rows.smoothing - 1, logits.options()), /*accumulate=*/true);
  logits.mul_(factors.unsqueeze(1));
}

// What is done with a piece: its first row, its rows of x, the gradient of their logits.
using UseOfPiece = std::function<void(int64_t, const at::Tensor&, const at::Tensor&)>;

RowLosses piece_by_piece(const at::Tensor& x_MC, const at::Tensor& weight_VC, const RowTargets& rows, bool wants_best,
                         const UseOfPiece& use) {
  const int64_t count = x_MC.size(0);
  RowLosses losses;
  losses.surprise.resize(static_cast<size_t>(count));
  losses.smoothed.resize(static_cast<size_t>(count));
  if (wants_best) losses.best.resize(static_cast<size_t>(count));
  const int64_t at_a_time = rows_a_piece(weight_VC.size(0), x_MC.device(), x_MC.scalar_type());
  for (int64_t first = 0; first < count; first += at_a_time) {
    const at::Tensor x = x_MC.narrow(0, first, std::min(at_a_time, count - first));
    at::Tensor logits = product_with(x, weight_VC);
    if (rows.bias_V.defined()) logits.add_(rows.bias_V);
    x_MC.is_cpu() ? loss_on_host(logits, rows, first, losses) : loss_on_device(logits, rows, first, losses);
    if (use) use(first, x, logits);
  }
  return losses;
}

// Σ weight · loss, in the type of x.
at::Tensor weighed(const RowLosses& losses, std::span<const float> weights, const at::Tensor& x) {
  if (!losses.there.empty())
    return (at::cat(losses.there) * sent(weights, x.options().dtype(at::kDouble))).sum().to(x.scalar_type());
  double sum = 0;
  for (size_t m = 0; m < losses.smoothed.size(); ++m) sum += static_cast<double>(weights[m]) * losses.smoothed[m];
  return at::full({}, sum, x.options());
}

struct TokenLoss : torch::autograd::Function<TokenLoss> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_MC, const at::Tensor& weight_VC,
                            const RowTargets& rows, std::span<const float> weights, double total) {
    const bool wants_x = x_MC.requires_grad(), wants_weight = weight_VC.requires_grad();
    const at::Tensor weight = weight_VC.detach(), x = x_MC.detach();
    GradientSum d_weight(weight_VC, wants_weight);
    at::Tensor d_x = wants_x ? at::empty_like(x) : at::Tensor();
    RowTargets wanted = rows;
    if (wants_x || wants_weight)
      for (const float one : weights) wanted.factors.push_back(static_cast<double>(one) / total);
    UseOfPiece use;
    if (wants_x || wants_weight)
      use = [&](int64_t first, const at::Tensor& some, const at::Tensor& gradient) {
        if (wants_x) d_x.narrow(0, first, some.size(0)).copy_(product_back(gradient, weight));
        at::Tensor sum = d_weight.sum();
        if (wants_weight) add_product(sum, gradient.t(), some);
      };
    const RowLosses losses = piece_by_piece(x, weight, wanted, /*wants_best=*/false, use);
    ctx->saved_data["total"] = total;
    ctx->save_for_backward({d_x, d_weight.for_autograd()});
    return weighed(losses, weights, x);
  }

  // The gradients are those of the quotient by `total`. A device would have to be waited for to ask whether it is that.
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const double total = ctx->saved_data["total"].toDouble();
    if (d_outputs[0].is_cpu() && !(std::abs(d_outputs[0].item<double>() * total - 1) < 1e-3))
      throw std::logic_error("backward() of a token loss that was not divided by its total");
    const tensor_list saved = ctx->get_saved_variables();
    return {saved[0], saved[1], {}, {}, {}};
  }
};

}  // namespace

int64_t rows_a_piece(int64_t num_words, const at::Device& device, at::ScalarType type) {
  constexpr int64_t kFewOnADevice = 2048, kFew = 16;
  const int64_t fit = kPieceBytes / (num_words * static_cast<int64_t>(c10::elementSize(type)));
  return std::max(fit, device.is_cpu() ? kFew : kFewOnADevice);
}

at::Tensor token_loss_sum(const at::Tensor& x_MC, const TokenHead& head, std::span<const int64_t> targets,
                          std::span<const float> weights, double total) {
  return TokenLoss::apply(x_MC, head.weight_VC, RowTargets{targets, head.bias_V, {}, head.label_smoothing}, weights,
                          total);
}

TokenScores token_scores(const at::Tensor& x_MC, const TokenHead& head, std::span<const int64_t> targets) {
  RowLosses losses = piece_by_piece(x_MC, head.weight_VC.detach(), {targets, head.bias_V}, /*wants_best=*/true, {});
  return {std::move(losses.surprise), std::move(losses.best)};
}

bool TokenScores::are_finite() const {
  return std::ranges::all_of(surprise, [](double one) { return std::isfinite(one); });
}

at::Tensor token_logits(const at::Tensor& x_MC, const TokenHead& head) {
  const at::Tensor logits = product_with(x_MC, head.weight_VC.detach());
  return head.bias_V.defined() ? logits + head.bias_V : logits;
}

}  // namespace sft
