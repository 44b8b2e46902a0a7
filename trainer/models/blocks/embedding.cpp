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

void add_rows(at::Tensor& table, const at::Tensor& ids, const at::Tensor& rows, int64_t padding_id) {
  if (!table.is_cpu() || !table.is_contiguous()) {
    table.index_add_(0, ids, padding_id < 0 ? rows : rows.masked_fill(ids.eq(padding_id).unsqueeze(1), 0.0));
    return;
  }
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "embedding_backward", [&] {
    const ScatterRows<scalar_t> work{.rows = rows.const_data_ptr<scalar_t>(),
                                     .ids = ids.const_data_ptr<int64_t>(),
                                     .num_rows = rows.size(0),
                                     .width = rows.size(1),
                                     .left_out = padding_id,
                                     .table = table.data_ptr<scalar_t>()};
    at::parallel_for(0, rows.size(1), kChannelsAThread,
                     [&](int64_t begin, int64_t end) { scatter_add_rows(work, begin, end); });
  });
}

// The padding's row is left as it is: a preset gradient may hold what the table got elsewhere, as the output layer of a
// language model.
at::Tensor table_gradient(const at::Tensor& table, const at::Tensor& ids, const at::Tensor& rows, int64_t padding_id) {
  at::Tensor gradient = preset_gradient(table);
  const bool preset = gradient.defined();
  if (!preset) gradient = at::zeros_like(table);
  add_rows(gradient, ids, rows, padding_id);
  return preset ? at::Tensor() : gradient;
}

// `tables`, and behind them the ids of each row in them; `padding` has one row a table.
struct EmbeddingSum : torch::autograd::Function<EmbeddingSum> {
  static at::Tensor forward(AutogradContext* ctx, at::TensorList tables, at::TensorList ids,
                            const std::vector<int64_t>& padding, at::ScalarType type) {
    tensor_list saved(tables.begin(), tables.end());
    saved.insert(saved.end(), ids.begin(), ids.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["padding"] = padding;
    const at::Tensor sum = at::embedding(tables[0], ids[0]).to(type);
    for (size_t i = 1; i < tables.size(); ++i) sum.add_(at::embedding(tables[i], ids[i]).to(type));
    return sum;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const std::vector<int64_t> padding = ctx->saved_data["padding"].toIntVector();
    const at::Tensor rows = d_outputs[0].contiguous();
    tensor_list gradients(saved.size() + 2);
    for (size_t i = 0; i < padding.size(); ++i)
      if (ctx->needs_input_grad(i))
        gradients[i] = table_gradient(saved[i], saved[padding.size() + i], rows, padding[i]);
    return gradients;
  }
};

}  // namespace

at::Tensor embed(const EmbeddingTables& tables, const at::Tensor& tokens_N, const at::Tensor& positions_N,
                 const at::Tensor& segments_N) {
  tensor_list looked_up{tables.word_VC}, ids{tokens_N};
  std::vector<int64_t> padding{tables.padding_id};
  if (tables.position_PC.defined()) {
    looked_up.push_back(tables.position_PC);
    ids.push_back(positions_N);
    padding.push_back(tables.padding_position);
  }
  if (tables.segment_SC.defined()) {
    looked_up.push_back(tables.segment_SC);
    ids.push_back(segments_N);
    padding.push_back(-1);
  }
  return EmbeddingSum::apply(at::TensorList(looked_up), at::TensorList(ids), padding,
                             tables.type.value_or(tables.word_VC.scalar_type()));
}

}  // namespace sft
