#include "trainer/onnx/graph_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/errors.h"
#include "base/failpoint.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/new_file.h"

namespace sft::onnx {
namespace {

// Numbers of fields.
namespace of_model {
constexpr int kIrVersion = 1, kProducer = 2, kGraph = 7, kOperators = 8, kVersion = 2;
}
namespace of_graph {
constexpr int kName = 2, kInitializer = 5;
}
namespace of_tensor {
constexpr int kExtent = 1, kElement = 2, kName = 8, kBytes = 9, kElsewhere = 13, kPlace = 14, kKey = 1, kValue = 2;
constexpr int64_t kIsElsewhere = 1;
}  // namespace of_tensor

// The first operators with LayerNormalization, of ONNX 1.12.
constexpr int64_t kIrVersion = 8, kOperatorSet = 17;

constexpr int64_t kMostBytes = (int64_t{1} << 31) - 1;
constexpr int64_t kRoom = int64_t{1} << 24;  // for what is not weights
constexpr int64_t kLeastApart = 1024;        // what is shorter stays in the graph, as onnx itself leaves it there

// An initializer as the graph has it: whole, or but for its bytes, which follow.
struct Piece {
  std::string head;
  const Initializer* followed_by = nullptr;
};

WireMessage outline_of(const Initializer& tensor) {
  WireMessage message;
  for (const int64_t extent : tensor.shape) message.number(of_tensor::kExtent, extent);
  message.number(of_tensor::kElement, static_cast<int64_t>(tensor.element)).text(of_tensor::kName, tensor.name);
  return message;
}

Piece whole(const Initializer& tensor) {
  WireMessage message = outline_of(tensor), field;
  message.open(of_tensor::kBytes, tensor.bytes());
  field.open(of_graph::kInitializer, message.size() + tensor.bytes());
  return {field.bytes() + message.bytes(), &tensor};
}

Piece reference(const Initializer& tensor, int64_t offset) {
  WireMessage message = outline_of(tensor), field;
  for (const auto& [key, value] : {std::pair<const char*, std::string>{"location", kWeightsFile},
                                   {"offset", std::to_string(offset)},
                                   {"length", std::to_string(tensor.bytes())}}) {
    WireMessage entry;
    message.message(of_tensor::kElsewhere, entry.text(of_tensor::kKey, key).text(of_tensor::kValue, value));
  }
  field.message(of_graph::kInitializer, message.number(of_tensor::kPlace, of_tensor::kIsElsewhere));
  return {field.bytes()};
}

void append(NewFile& file, const Initializer& tensor) {
  beat();
  failpoint("onnx.tensor");
  const at::Tensor value = tensor.value();
  file.append(value.const_data_ptr(), tensor.bytes());
  require_mapped_files_whole();
}

void append(NewFile& file, const std::string& bytes) { file.append(bytes.data(), static_cast<int64_t>(bytes.size())); }

}  // namespace

void require_finite(const Graph& graph) {
  for (const Initializer& tensor : graph.initializers()) {
    if (tensor.element != Element::float32) continue;
    beat();
    const at::Tensor value = tensor.value();
    const std::string what = not_finite_in({tensor.name, "F32", tensor.shape, value.data_ptr(), tensor.bytes()});
    if (!what.empty()) throw Error(ExitCode::not_finite, concat("the model is not exported: ", what));
  }
}

nlohmann::json write_graph(FileOps& files, const std::string& directory, const Graph& graph, int64_t most_bytes) {
  int64_t all = 0;
  for (const Initializer& tensor : graph.initializers()) all += tensor.bytes();
  const bool is_apart = all > kMostBytes - kRoom || (most_bytes > 0 && all > most_bytes);

  WireMessage made = graph.message();
  made.text(of_graph::kName, "sft-dist");
  std::vector<Piece> pieces;
  std::vector<const Initializer*> apart;
  int64_t graph_bytes = made.size(), apart_bytes = 0;
  for (const Initializer& tensor : graph.initializers()) {
    if (is_apart && tensor.bytes() >= kLeastApart) {
      pieces.push_back(reference(tensor, apart_bytes));
      apart.push_back(&tensor);
      apart_bytes += tensor.bytes();
    } else {
      pieces.push_back(whole(tensor));
      graph_bytes += tensor.bytes();
    }
    graph_bytes += static_cast<int64_t>(pieces.back().head.size());
  }
  WireMessage operators, model;
  operators.number(of_model::kVersion, kOperatorSet);
  model.number(of_model::kIrVersion, kIrVersion)
      .text(of_model::kProducer, "sft-dist")
      .message(of_model::kOperators, operators)
      .open(of_model::kGraph, graph_bytes);

  nlohmann::json checksums;
  NewFile file(files, concat(directory, "/", kGraphFile), model.size() + graph_bytes);
  append(file, model.bytes());
  append(file, made.bytes());
  for (const Piece& piece : pieces) {
    append(file, piece.head);
    if (piece.followed_by != nullptr) append(file, *piece.followed_by);
  }
  checksums[kGraphFile] = file.finish();
  if (apart.empty()) return checksums;
  NewFile weights(files, concat(directory, "/", kWeightsFile), apart_bytes);
  for (const Initializer* tensor : apart) append(weights, *tensor);
  checksums[kWeightsFile] = weights.finish();
  return checksums;
}

}  // namespace sft::onnx
