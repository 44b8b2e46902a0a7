#include "trainer/models/keras/inbound.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& title, const json& found) {
  throw DataError(concat(title, ": inbound_nodes holds ", in_quotes(found.dump(), 120),
                         ", which is no reference to a layer; write the model again with Keras 2 or 3"));
}

// ["conv", 0, 0] or ["conv", 0, 0, {…}]: layer, which of its calls, which of its outputs.
std::string layer_of(const json& reference, const std::string& title) {
  if (!reference.is_array() || reference.size() < 3 || !reference[0].is_string()) refuse(title, reference);
  if (reference[2] != 0) refuse(title, reference);
  return reference[0].get<std::string>();
}

bool is_tensor(const json& value) {
  return value.is_object() && value.contains("class_name") && value["class_name"] == "__keras_tensor__";
}

void collect(const json& value, const std::string& title, std::vector<std::string>& into) {
  if (is_tensor(value)) {
    if (!value.contains("config") || !value["config"].is_object() || !value["config"].contains("keras_history"))
      refuse(title, value);
    into.push_back(layer_of(value["config"]["keras_history"], title));
  } else if (value.is_array()) {
    for (const json& one : value) collect(one, title, into);
  } else if (!value.is_null()) {
    refuse(title, value);  // a constant among the operands
  }
}

bool says_evaluation(const json& keywords) {
  return keywords.is_object() && keywords.contains("training") && keywords["training"] == false;
}

Call call_of_keras_3(const json& node, const std::string& title) {
  Call call;
  if (!node.contains("args")) refuse(title, node);
  collect(node["args"], title, call.inputs);
  if (node.contains("kwargs")) call.evaluates = says_evaluation(node["kwargs"]);
  return call;
}

Call call_of_keras_2(const json& node, const std::string& title) {
  Call call;
  for (const json& reference : node) {
    call.inputs.push_back(layer_of(reference, title));
    if (reference.size() > 3) call.evaluates = call.evaluates || says_evaluation(reference[3]);
  }
  return call;
}

}  // namespace

std::vector<Call> read_calls(const json& nodes, const std::string& title) {
  std::vector<Call> calls;
  if (!nodes.is_array()) refuse(title, nodes);
  for (const json& node : nodes) {
    if (node.is_object())
      calls.push_back(call_of_keras_3(node, title));
    else if (node.is_array())
      calls.push_back(call_of_keras_2(node, title));
    else
      refuse(title, node);
  }
  return calls;
}

std::vector<std::string> read_ends(const json& ends, const std::string& title) {
  if (!ends.is_array() || ends.empty()) refuse(title, ends);
  if (ends[0].is_string()) return {layer_of(ends, title)};
  std::vector<std::string> names;
  for (const json& end : ends) names.push_back(layer_of(end, title));
  return names;
}

}  // namespace sft::keras
