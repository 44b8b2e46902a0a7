// What decoders have between their products, on the GPU against the CPU's in float64 on the same rounded numbers.
#include <ATen/ATen.h>

#include "device/gpu.h"
#include "trainer/models/blocks/gated_mlp.h"
#include "trainer/models/blocks/rms_norm.h"
#include "trainer/models/blocks/rotary.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;

// Rows of `type`, and parameters of the type that the kernels take with them.
struct Types {
  at::ScalarType rows, parameters;
  double tolerance;
};
const std::vector<Types> kTypes{
    {at::kDouble, at::kDouble, 1e-12}, {at::kFloat, at::kFloat, 1e-5}, {at::kBFloat16, at::kFloat, 1e-2}};

class DeviceDecoder : public testing::OnGpu {
 protected:
  // A leaf whose numbers are those of `type`, in it on the GPU and in float64 on the CPU.
  at::Tensor leaf(at::IntArrayRef shape, uint64_t seed, at::ScalarType type, const c10::Device& where) const {
    const at::Tensor numbers = drawn(shape, seed).detach().to(type);
    return (where.is_cpu() ? numbers.to(at::kDouble) : numbers.to(where)).set_requires_grad(true);
  }
  // Σ of the results times numbers of their own, backwards.
  static void back_from(const std::vector<at::Tensor>& results, at::ScalarType type) {
    at::Tensor sum;
    for (size_t i = 0; i < results.size(); ++i) {
      const at::Tensor seen = drawn(results[i].sizes(), 100 + i).detach().to(type).to(results[i].options());
      const at::Tensor part = (results[i] * seen).sum();
      sum = sum.defined() ? sum + part : part;
    }
    sum.backward();
  }
  // `run` is given a place and returns results and gradients there.
  template <class Run>
  void compare(const Types& types, const std::string& what, const Run& run) const {
    const std::vector<at::Tensor> ours = run(device), expected = run(c10::Device(c10::kCPU));
    for (size_t i = 0; i < ours.size(); ++i)
      EXPECT_LT(distance(ours[i].detach().cpu().to(at::kDouble), expected[i].detach()), types.tolerance)
          << what << " in " << at::toString(types.rows) << ", " << i;
  }
};

TEST_F(DeviceDecoder, RmsNormAndItsGradientsEqualTheCpus) {
  for (const Types& types : kTypes)
    for (const int64_t width : {1, 3, 8, 96, 250, 257, 896, 4096, 8192})
      compare(types, std::to_string(width), [&](const c10::Device& where) {
        const int64_t rows = width > 1000 ? 41 : 803;  // more than there are parts
        const at::Tensor x = leaf({rows, width}, 1, types.rows, where), w = leaf({width}, 2, types.parameters, where);
        const at::Tensor y = rms_norm(x, {w, 1e-5});
        back_from({y}, types.rows);
        return std::vector<at::Tensor>{y, x.grad(), w.grad()};
      });
}

TEST_F(DeviceDecoder, RmsNormOfAResidualAndItsGradientsEqualTheCpus) {
  for (const Types& types : kTypes)
    for (const int64_t width : {7, 64, 1000, 4096})
      compare(types, std::to_string(width), [&](const c10::Device& where) {
        const at::Tensor x = leaf({37, width}, 1, types.rows, where),
                         residual = leaf({37, width}, 2, types.rows, where),
                         w = leaf({width}, 3, types.parameters, where);
        const NormedSum both = add_rms_norm(x, residual, {w, 1e-5});
        back_from({both.sum, both.normed}, types.rows);
        return std::vector<at::Tensor>{both.sum, both.normed, x.grad(), residual.grad(), w.grad()};
      });
}

TEST_F(DeviceDecoder, RmsNormTakesFrozenWeightsThatAreHeldNarrow) {
  compare(kTypes[2], "narrow weights", [&](const c10::Device& where) {
    const at::Tensor x = leaf({5, 64}, 1, at::kBFloat16, where), w = leaf({64}, 2, at::kBFloat16, where).detach();
    const at::Tensor y = rms_norm(x, {w, 1e-5});
    back_from({y}, at::kBFloat16);
    return std::vector<at::Tensor>{y, x.grad()};
  });
}

TEST_F(DeviceDecoder, RotaryPositionsAndTheWayBackEqualTheCpus) {
  for (const Types& types : kTypes)
    for (const int64_t width : {2, 10, 32, 64, 128})
      compare(types, std::to_string(width), [&](const c10::Device& where) {
        const at::Tensor q = leaf({9, 3 * width}, 1, types.rows, where), k = leaf({40, width}, 2, types.rows, where);
        const at::Tensor of_q = at::tensor({5, 0, 1, 299, 300, 7, 7, 511, 2}, at::kLong).to(where);
        const at::Tensor of_k = at::arange(40, at::kLong).mul(7).to(where);
        RotaryTable table({.head_width = width}, at::TensorOptions(types.parameters));
        const RotaryAngles host = table.up_to(512);
        const auto there = [&](const at::Tensor& angles) {
          return where.is_cpu() ? angles.to(at::kDouble) : angles.to(where);
        };
        const Rotated both = rotate(q, k, of_q, of_k, {there(host.cosines), there(host.sines)});
        back_from({both.q, both.k}, types.rows);
        return std::vector<at::Tensor>{both.q, both.k, q.grad(), k.grad()};
      });
}

TEST_F(DeviceDecoder, GatesAndTheirGradientsEqualTheCpus) {
  for (const Types& types : kTypes)
    for (const Activation activation :
         {Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::relu})
      for (const int64_t width : {1, 5, 64, 4864})
        compare(types, std::to_string(static_cast<int>(activation)), [&](const c10::Device& where) {
          const at::Tensor gate = leaf({13, width}, 1, types.rows, where), up = leaf({13, width}, 2, types.rows, where);
          const at::Tensor y = gated(activation, gate.mul(3), up);
          back_from({y}, types.rows);
          return std::vector<at::Tensor>{y, gate.grad(), up.grad()};
        });
}

}  // namespace
}  // namespace sft
