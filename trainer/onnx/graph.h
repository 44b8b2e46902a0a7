// An ONNX graph in the making: inputs, nodes in the order in which they run, weights, outputs.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trainer/model_files/model_export.h"
#include "trainer/onnx/wire_message.h"

namespace sft::onnx {

// The name of an input, of a weight, or of what a node makes.
using Value = std::string;

enum class Element { float32 = 1, int64 = 7 };  // TensorProto's numbers

// An axis has a length, or a name where each run may have another one.
using Axes = std::vector<std::variant<int64_t, std::string>>;

using Attribute = std::variant<int64_t, float, std::vector<int64_t>>;
using Attributes = std::vector<std::pair<std::string, Attribute>>;

// Of Cast.
inline std::pair<std::string, Attribute> to(Element element) { return {"to", static_cast<int64_t>(element)}; }

// A tensor of the file, made when it is written.
struct Initializer {
  Value name;
  Element element = Element::float32;
  std::vector<int64_t> shape;
  std::function<at::Tensor()> value;  // of this shape and element, contiguous, in host memory

  int64_t bytes() const;
};

class Graph {
 public:
  // `tensors`: the weights that there are, by their names in the model's files.
  explicit Graph(const ExportedTensors& tensors);

  Value input(const Value& name, Element element, const Axes& axes);
  void output(const Value& made, Element element, const Axes& axes);

  // A node that makes one value, and is called as that is. No two values have one name.
  Value node(const std::string& op, const Value& makes, const std::vector<Value>& takes,
             const Attributes& attributes = {});
  // A node that makes several.
  void node(const std::string& op, const std::vector<Value>& makes, const std::vector<Value>& takes,
            const Attributes& attributes = {});

  bool has(const std::string& tensor) const { return tensors_.contains(tensor); }
  const std::vector<int64_t>& shape_of(const std::string& tensor) const;
  // A weight as float32, and one of two axes with these exchanged: files have [out, in], and MatMul wants [in, out].
  Value weight(const std::string& tensor);
  Value transposed(const std::string& tensor);

  // Constants: one number, several, a vector.
  Value real(float value);
  Value integer(int64_t value);
  Value integers(const std::vector<int64_t>& values);
  Value vector(const Value& name, const at::Tensor& values);

  // The fields of GraphProto that are made so far; weights stand behind them.
  const WireMessage& message() const { return message_; }
  const std::vector<Initializer>& initializers() const { return initializers_; }

 private:
  Value keep(Initializer initializer);  // once of a name
  void declare(int field, const Value& name, Element element, const Axes& axes);
  const ExportedTensor& tensor_named(const std::string& name) const;

  std::map<std::string, ExportedTensor> tensors_;
  WireMessage message_;
  std::vector<Initializer> initializers_;
  std::set<Value> made_, kept_;
};

}  // namespace sft::onnx
