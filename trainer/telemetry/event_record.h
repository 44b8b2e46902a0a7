// The records of TensorBoard's event files: TFRecord frames around tensorflow.Event messages
// (tensorflow/core/util/event.proto) in protocol buffers' wire format.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sft {

// Each is a whole framed record. `seconds` is the wall time since 1970.
std::string version_record(double seconds);  // the first one of a file
// TensorBoard drops what earlier files of the directory hold at `step` and after.
std::string start_record(double seconds, int64_t step);
std::string scalars_record(double seconds, int64_t step, const std::vector<std::pair<std::string, float>>& scalars);

// What the HParams board knows a run by (tensorboard/plugins/hparams/plugin_data.proto): its settings, numbers, bools
// and texts by name, when it begins, and that it has ended as it should.
std::string settings_record(double seconds, const nlohmann::ordered_json& settings);
std::string ended_record(double seconds);

}  // namespace sft
