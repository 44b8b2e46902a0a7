#include "trainer/onnx/graph.h"

#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <charconv>

#include "base/errors.h"
#include "base/text.h"

namespace sft::onnx {
namespace {

// Numbers of fields.
namespace of_graph {
constexpr int kNode = 1, kInput = 11, kOutput = 12;
}
namespace of_node {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOp = 4, kAttribute = 5;
}
namespace of_attribute {
constexpr int kName = 1, kReal = 2, kNumber = 3, kNumbers = 8, kType = 20;
constexpr int64_t kIsReal = 1, kIsNumber = 2, kIsNumbers = 7;
}  // namespace of_attribute
namespace of_value {
constexpr int kName = 1, kType = 2, kTensor = 1, kElement = 1, kShape = 2, kAxis = 1, kLength = 1, kAxisName = 2;
}

WireMessage encoded(const std::string& name, const Attribute& attribute) {
  WireMessage message;
  message.text(of_attribute::kName, name);
  if (const auto* number = std::get_if<int64_t>(&attribute))
    return message.number(of_attribute::kNumber, *number).number(of_attribute::kType, of_attribute::kIsNumber);
  if (const auto* real = std::get_if<float>(&attribute))
    return message.real(of_attribute::kReal, *real).number(of_attribute::kType, of_attribute::kIsReal);
  for (const int64_t number : std::get<std::vector<int64_t>>(attribute)) message.number(of_attribute::kNumbers, number);
  return message.number(of_attribute::kType, of_attribute::kIsNumbers);
}

std::string shortest(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

at::Tensor as_float(const at::Tensor& tensor) { return tensor.detach().cpu().to(at::kFloat); }

}  // namespace

int64_t Initializer::bytes() const {
  int64_t bytes = element == Element::float32 ? 4 : 8;
  for (const int64_t extent : shape) bytes *= extent;
  return bytes;
}

Graph::Graph(const ExportedTensors& tensors) {
  for (const ExportedTensor& tensor : tensors) tensors_.emplace(tensor.name, tensor);
}

void Graph::declare(int field, const Value& name, Element element, const Axes& axes) {
  WireMessage shape;
  for (const auto& axis : axes) {
    WireMessage encoded_axis;
    if (const auto* length = std::get_if<int64_t>(&axis))
      encoded_axis.number(of_value::kLength, *length);
    else
      encoded_axis.text(of_value::kAxisName, std::get<std::string>(axis));
    shape.message(of_value::kAxis, encoded_axis);
  }
  WireMessage tensor, type, value;
  tensor.number(of_value::kElement, static_cast<int64_t>(element)).message(of_value::kShape, shape);
  type.message(of_value::kTensor, tensor);
  message_.message(field, value.text(of_value::kName, name).message(of_value::kType, type));
}

Value Graph::input(const Value& name, Element element, const Axes& axes) {
  made_.insert(name);
  declare(of_graph::kInput, name, element, axes);
  return name;
}

void Graph::output(const Value& made, Element element, const Axes& axes) {
  declare(of_graph::kOutput, made, element, axes);
}

Value Graph::node(const std::string& op, const Value& makes, const std::vector<Value>& takes,
                  const Attributes& attributes) {
  node(op, std::vector{makes}, takes, attributes);
  return makes;
}

void Graph::node(const std::string& op, const std::vector<Value>& makes, const std::vector<Value>& takes,
                 const Attributes& attributes) {
  WireMessage message;
  for (const Value& taken : takes) message.text(of_node::kInput, taken);
  for (const Value& made : makes) {
    if (!made_.insert(made).second)
      throw Error(ExitCode::internal, concat("two values of an ONNX graph are called ", in_quotes(made)));
    message.text(of_node::kOutput, made);
  }
  message.text(of_node::kName, makes.front()).text(of_node::kOp, op);
  for (const auto& [name, attribute] : attributes) message.message(of_node::kAttribute, encoded(name, attribute));
  message_.message(of_graph::kNode, message);
}

const ExportedTensor& Graph::tensor_named(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error(ExitCode::internal, concat("no tensor ", in_quotes(name), " to export"));
  return found->second;
}

const std::vector<int64_t>& Graph::shape_of(const std::string& tensor) const { return tensor_named(tensor).shape; }

Value Graph::keep(Initializer initializer) {
  if (!kept_.insert(initializer.name).second) return initializer.name;
  initializers_.push_back(std::move(initializer));
  return initializers_.back().name;
}

Value Graph::weight(const std::string& name) {
  const ExportedTensor& tensor = tensor_named(name);
  return keep({.name = name, .shape = tensor.shape, .value = [make = tensor.value] {
                 return as_float(make()).contiguous();
               }});
}

Value Graph::transposed(const std::string& name) {
  const ExportedTensor& tensor = tensor_named(name);
  return keep({.name = name + ".transposed",
               .shape = {tensor.shape.at(1), tensor.shape.at(0)},
               .value = [make = tensor.value] { return as_float(make()).t().contiguous(); }});
}

Value Graph::real(float value) {
  return keep({.name = "real." + shortest(value), .shape = {}, .value = [value] {
                 return at::scalar_tensor(value, at::kFloat);
               }});
}

Value Graph::integer(int64_t value) {
  return keep({.name = concat("integer.", value), .element = Element::int64, .shape = {}, .value = [value] {
                 return at::scalar_tensor(value, at::kLong);
               }});
}

Value Graph::integers(const std::vector<int64_t>& values) {
  std::string name = "integers";
  for (const int64_t value : values) name += concat(".", value);
  return keep({.name = name,
               .element = Element::int64,
               .shape = {static_cast<int64_t>(values.size())},
               .value = [values] { return at::tensor(values, at::kLong); }});
}

Value Graph::vector(const Value& name, const at::Tensor& values) {
  return keep({.name = name, .shape = values.sizes().vec(), .value = [values] {
                 return as_float(values).contiguous();
               }});
}

}  // namespace sft::onnx
