// Weights that are held as files have them, narrower than what they meet, beside the same numbers in the wide type.
#include "trainer/models/blocks/held_weight.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "trainer/models/blocks/linear.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;

struct Products {
  at::Tensor forward, biased, back, added;
};

Products products_with(const at::Tensor& x, const at::Tensor& dy, const at::Tensor& bias, const at::Tensor& weight) {
  at::Tensor added = at::ones_like(x);
  add_product_back(added, dy, weight);
  return {product_with(x, weight), biased_product_with(bias, x, weight), product_back(dy, weight), added};
}

TEST(HeldWeight, GivesTheBitsOfTheWidenedOne) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble})
    for (const at::ScalarType held : {at::kBFloat16, at::kHalf, at::kFloat}) {
      const at::Tensor x = drawn({19, 13}, 1, type), dy = drawn({19, 7}, 2, type), bias = drawn({7}, 3, type);
      const at::Tensor narrow = drawn({7, 13}, 4).to(held), turned = drawn({13, 7}, 5).to(held).t();
      for (const at::Tensor& weight : {narrow, turned}) {
        const Products ours = products_with(x, dy, bias, weight), wide = products_with(x, dy, bias, weight.to(type));
        EXPECT_TRUE(ours.forward.equal(wide.forward) && ours.biased.equal(wide.biased));
        EXPECT_TRUE(ours.back.equal(wide.back) && ours.added.equal(wide.added));
        EXPECT_LT(distance(ours.forward, x.mm(weight.to(type).t())), 1e-6);
      }
    }
}

// 300,000 × 60 elements are many panels, the last of them short.
TEST(HeldWeight, IsWidenedInPanelsWhereItIsLarge) {
  const at::Tensor x = drawn({5, 60}, 1, at::kFloat), dy = drawn({5, 300'000}, 2, at::kFloat);
  const at::Tensor bias = drawn({300'000}, 3, at::kFloat), weight = drawn({300'000, 60}, 4).to(at::kBFloat16);
  const Products ours = products_with(x, dy, bias, weight), wide = products_with(x, dy, bias, weight.to(at::kFloat));
  EXPECT_LT(distance(ours.forward, wide.forward), 1e-6);
  EXPECT_LT(distance(ours.biased, wide.biased), 1e-6);
  EXPECT_LT(distance(ours.back, wide.back), 1e-6);
  EXPECT_LT(distance(ours.added, wide.added), 1e-6);
}

// Rows and widths that fill no tile and no vector, and more of `in` than is summed at once; as files have it, or
// GPT-2's.
TEST(HeldWeight, MultipliesFewRowsByAWeightOfAnyType) {
  for (const at::ScalarType held : {at::kFloat, at::kBFloat16, at::kHalf})
    for (const int64_t rows : {1, 3, 8, 9, 17, 33, 50, 64})
      for (const int64_t out : {1, 5, 97})
        for (const int64_t in : {1, 77, 530}) {
          const at::Tensor x = drawn({rows, in}, 1, at::kFloat);
          for (const at::Tensor& weight : {drawn({out, in}, 2).to(held), drawn({in, out}, 2).to(held).t()}) {
            const at::Tensor expected = x.to(at::kDouble).mm(weight.to(at::kDouble).t());
            EXPECT_LT(distance(product_with(x, weight).to(at::kDouble), expected),
                      2e-6 * static_cast<double>(in) + 1e-6)
                << held << " " << rows << " × " << in << " · " << out;
            EXPECT_TRUE(product_with(x, weight).equal(product_with(x, weight.to(at::kFloat))));
          }
        }
}

// Halves below the normal ones are numbers too.
TEST(HeldWeight, WidensEveryHalf) {
  std::vector<int16_t> bits;
  for (int32_t half = -0x8000; half < 0x8000; ++half)
    if ((half & 0x7c00) != 0x7c00) bits.push_back(static_cast<int16_t>(half));
  const at::Tensor weight = at::tensor(bits, at::kShort).view(at::kHalf).unsqueeze(1);
  for (const int64_t rows : {1, 12}) {
    const at::Tensor products = product_with(at::ones({rows, 1}, at::kFloat), weight);
    EXPECT_TRUE(products.equal(weight.to(at::kFloat).t().expand({rows, -1})));
  }
}

// By config.json's model_type.
class HeldModels : public ::testing::TestWithParam<std::string> {};

struct Pass {
  at::Tensor rows;
  std::vector<at::Tensor> gradients;
};

// Training, with what is not held trained.
Pass pass_of(Model& model, const Batch& batch) {
  const Inputs inputs = to_device(batch, at::kCPU);
  model.follow_weights();
  Pass pass{testing::forward(model, inputs), {}};
  (pass.rows * drawn(pass.rows.sizes(), 3, at::kFloat)).sum().backward();
  for (const Parameter& parameter : model.parameters()) pass.gradients.push_back(parameter.value.grad());
  return pass;
}

// Every matrix held in bfloat16 or in the wide type, the same numbers; norms and biases train.
std::unique_ptr<Model> held_model(const std::string& type, std::optional<at::ScalarType> compute_type, bool is_narrow) {
  auto model = make_model(testing::small_config(type), {.compute_type = compute_type, .seed = 5});
  for (const Parameter& parameter : model->parameters()) {
    if (!parameter.may_be_narrow) continue;
    at::Tensor value = parameter.value;
    const at::Tensor rounded = value.detach().to(at::kBFloat16);
    value.set_requires_grad(false);
    value.set_data(is_narrow ? rounded : rounded.to(at::kFloat));
  }
  return model;
}

TEST_P(HeldModels, ComputeAsIfTheirMatricesWereWidened) {
  const Batch batch = testing::batch_of({5, 1, 17, 9});
  for (const std::optional<at::ScalarType> compute_type : {std::optional<at::ScalarType>(), {at::kBFloat16}}) {
    const Pass ours = pass_of(*held_model(GetParam(), compute_type, true), batch);
    const Pass wide = pass_of(*held_model(GetParam(), compute_type, false), batch);
    EXPECT_TRUE(ours.rows.equal(wide.rows));
    for (size_t i = 0; i < wide.gradients.size(); ++i) {
      ASSERT_EQ(ours.gradients[i].defined(), wide.gradients[i].defined());
      if (!wide.gradients[i].defined()) continue;
      EXPECT_TRUE(ours.gradients[i].equal(wide.gradients[i])) << i;
    }
  }
}

TEST_P(HeldModels, HaveNoCopyOfAMatrixThatIsOfTheTypeOfTheProducts) {
  const auto model = held_model(GetParam(), at::kBFloat16, true);
  pass_of(*model, testing::batch_of({4}));
  for (const NamedLinear& named : model->linears()) {
    if (named.stage == model->pooler_stage()) continue;
    EXPECT_EQ(named.layer->narrow_weight.data_ptr(), named.layer->weight.data_ptr()) << named.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HeldModels,
                         ::testing::Values("bert", "roberta", "distilbert", "gpt2", "llama", "mistral", "qwen2",
                                           "qwen3", "modernbert", "electra", "albert", "deberta-v2", "xlnet"));

}  // namespace
}  // namespace sft
