// A whole model in the place of a layer, as transfer learning has it.
#include "trainer/models/keras/layers.h"
#include "trainer/models/keras/network.h"

namespace sft::keras {
namespace {

class Nested final : public Layer {
 public:
  explicit Nested(const LayerPlace& place)
      : Layer(place),
        graph_(place.layer.nested),
        network_(*graph_, require_one_input(place), place.keras, place.path + "/", place.dropout_seed) {
    shape_ = network_.shape(static_cast<int>(network_.size()) - 1);
    for (const PlacedVariable& placed : network_.variables()) {
      variables_.push_back(placed.variable);
      variables_.back().name = placed.name;
    }
  }

  void hold(const Tensors& values, const at::Tensor&) override { network_.hold(values); }
  at::Tensor run(const Tensors& x, const Pass& pass) override {
    return network_.run(0, static_cast<int>(network_.size()) - 1, x.front(), pass);
  }

 private:
  std::shared_ptr<const Graph> graph_;
  Network network_;
};

}  // namespace

std::unique_ptr<Layer> make_nested(const LayerPlace& place) { return std::make_unique<Nested>(place); }

}  // namespace sft::keras
