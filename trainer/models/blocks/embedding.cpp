#include "trainer/models/blocks/embedding.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/row_kernels.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Threads share channels, not rows: every sum runs over the rows in order, the same bits on any number of threads.
constexpr int64_t kChannelsAThread = 64;

void add_rows(at::Tensor& table, const at::Tensor& ids, const at::Tensor& rows) {
  if (!table.is_cpu() || !table.is_contiguous()) {
    table.index_add_(0, ids, rows);
    return;
  }
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "embedding_backward", [&] {
    at::parallel_for(0, rows.size(1), kChannelsAThread, [&](int64_t begin, int64_t end) {
      scatter_add_rows(rows.const_data_ptr<scalar_t>(), ids.const_data_ptr<int64_t>(), rows.size(0), rows.size(1),
                       table.data_ptr<scalar_t>(), begin, end);
    });
  });
}

at::Tensor table_gradient(const at::Tensor& table, const at::Tensor& ids, const at::Tensor& rows, int64_t padding_id) {
  at::Tensor gradient = preset_gradient(table);
  const bool preset = gradient.defined();
  if (!preset) gradient = at::zeros_like(table);
  add_rows(gradient, ids, rows);
  if (padding_id >= 0) gradient[padding_id].zero_();
  return preset ? at::Tensor() : gradient;
}

struct EmbeddingSum : torch::autograd::Function<EmbeddingSum> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& word, const at::Tensor& position,
                            const at::Tensor& segment, const at::Tensor& tokens, const at::Tensor& positions,
                            const at::Tensor& segments, int64_t padding_id) {
    ctx->save_for_backward({word, position, segment, tokens, positions, segments});
    ctx->saved_data["padding_id"] = padding_id;
    return at::embedding(word, tokens).add_(at::embedding(position, positions)).add_(at::embedding(segment, segments));
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor rows = d_outputs[0].contiguous();
    tensor_list gradients(7);
    for (size_t i = 0; i < 3; ++i) {
      const int64_t padding_id = i == 0 ? ctx->saved_data["padding_id"].toInt() : -1;
      if (ctx->needs_input_grad(i)) gradients[i] = table_gradient(saved[i], saved[3 + i], rows, padding_id);
    }
    return gradients;
  }
};

}  // namespace

at::Tensor embed(const EmbeddingTables& tables, const at::Tensor& tokens_N, const at::Tensor& positions_N,
                 const at::Tensor& segments_N) {
  return EmbeddingSum::apply(tables.word_VC, tables.position_PC, tables.segment_SC, tokens_N, positions_N, segments_N,
                             tables.padding_id);
}

}  // namespace sft
