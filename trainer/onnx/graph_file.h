// model.onnx: a graph with its weights, or with the weights in a file of their own beside it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/file_ops.h"
#include "trainer/onnx/graph.h"

namespace sft::onnx {

inline constexpr char kGraphFile[] = "model.onnx", kWeightsFile[] = "model.onnx_data";

// ExitCode::not_finite, naming the tensor, where a weight is no number in float32.
void require_finite(const Graph& graph);

// Writes new files into the directory, one tensor at a time in memory, and returns the crc32c of each by its name.
// Where weights have more than `most_bytes` bytes (0: any number), or more than a message of protocol buffers may have,
// 2 GiB, they stand in kWeightsFile, which kGraphFile refers to. StorageError where a file cannot be written.
nlohmann::json write_graph(FileOps& files, const std::string& directory, const Graph& graph, int64_t most_bytes);

}  // namespace sft::onnx
