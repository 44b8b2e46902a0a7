#include "trainer/assembly/onnx_export.h"

#include <nlohmann/json.hpp>

#include "trainer/model_files/export_directory.h"
#include "trainer/onnx/graph_file.h"
#include "trainer/onnx/model_graph.h"

namespace sft {
namespace {

NamedFiles saying_float32(NamedFiles files) {
  for (auto& [name, content] : files) {
    if (name != "config.json") continue;
    auto config = nlohmann::json::parse(content);
    config["dtype"] = "float32";
    content = config.dump(2) + "\n";
  }
  return files;
}

}  // namespace

void export_onnx(const std::string& directory, const Learner& learner, const NamedFiles& beside, const RunConfig& run) {
  const onnx::Graph graph = onnx::model_graph(learner.model(), learner.task(), learner.whole());
  onnx::require_finite(graph);
  const auto write = [&](const std::string& into) {
    return onnx::write_graph(real_files(), into, graph, run.save.max_shard_bytes);
  };
  publish_directory(real_files(), directory, write, saying_float32(beside));
}

}  // namespace sft
