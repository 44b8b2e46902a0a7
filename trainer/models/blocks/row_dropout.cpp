#include "trainer/models/blocks/row_dropout.h"

#include <torch/csrc/autograd/custom_function.h>

namespace sft {

RowDropout row_dropout(const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions) {
  return {dropout.key, DropRate(dropout.p), draws.const_data_ptr<int64_t>(), positions.const_data_ptr<int64_t>()};
}

void save_dropout(torch::autograd::AutogradContext* ctx, const Dropout& dropout) {
  ctx->saved_data["key0"] = static_cast<int64_t>(dropout.key.words[0]);
  ctx->saved_data["key1"] = static_cast<int64_t>(dropout.key.words[1]);
  ctx->saved_data["p"] = dropout.p;
}

Dropout saved_dropout(torch::autograd::AutogradContext* ctx) {
  const auto word = [&](const char* name) { return static_cast<uint32_t>(ctx->saved_data[name].toInt()); };
  return {{{word("key0"), word("key1")}}, ctx->saved_data["p"].toDouble()};
}

}  // namespace sft
