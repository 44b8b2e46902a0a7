#include "trainer/adapters/target_modules.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

struct Usual {
  const char* model_type;
  StringList targets;
};

// TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING of PEFT 0.21. It lacks albert, camembert, distilbert, marian,
// modernbert and xlnet, whose layers of attention are no modules.
const Usual kUsual[] = {
    {"albert", {"query", "value"}},
    {"bart", {"q_proj", "v_proj"}},
    {"bert", {"query", "value"}},
    {"camembert", {"query", "value"}},
    {"deberta-v2", {"query_proj", "value_proj"}},
    {"distilbert", {"q_lin", "v_lin"}},
    {"electra", {"query", "value"}},
    {"gpt2", {"c_attn"}},
    {"llama", {"q_proj", "v_proj"}},
    {"marian", {"q_proj", "v_proj"}},
    {"mistral", {"q_proj", "v_proj"}},
    {"modernbert", {"Wqkv"}},
    {"mt5", {"q", "v"}},
    {"qwen2", {"q_proj", "v_proj"}},
    {"qwen3", {"q_proj", "v_proj"}},
    {"roberta", {"query", "value"}},
    {"t5", {"q", "v"}},
    {"xlm-roberta", {"query", "value"}},
    {"xlnet", {"layer_1", "layer_2"}},
};

// "query", "attention.self.query", … of every layer: what a person may have meant.
StringList ends_of(const std::vector<NamedLinear>& layers) {
  std::set<std::string> ends;
  for (const NamedLinear& layer : layers)
    for (size_t at = layer.name.size(); at != std::string::npos && at > 0;) {
      at = layer.name.rfind('.', at - 1);
      const std::string end = at == std::string::npos ? layer.name : layer.name.substr(at + 1);
      if (std::ranges::all_of(end, ::isdigit) || ::isdigit(static_cast<unsigned char>(end.front()))) break;
      ends.insert(end);
    }
  return {ends.begin(), ends.end()};
}

std::string last_word(const std::string& name) { return name.substr(name.rfind('.') + 1); }

StringList last_words(const std::vector<NamedLinear>& layers) {
  StringList words;
  for (const NamedLinear& layer : layers)
    if (const std::string word = last_word(layer.name); std::ranges::find(words, word) == words.end())
      words.push_back(word);
  return words;
}

}  // namespace

bool is_target(const std::string& module, const std::string& word) {
  return module == word || module.ends_with("." + word);
}

StringList usual_target_modules(const std::string& model_type) {
  for (const Usual& usual : kUsual)
    if (model_type == usual.model_type) return usual.targets;
  throw ConfigError(concat("lora.target_modules: there are no usual ones for model_type ", in_quotes(model_type),
                           "; name some, or \"all-linear\""));
}

std::vector<NamedLinear> find_targets(const StringList& wanted, const std::vector<NamedLinear>& layers) {
  if (layers.empty())
    throw ConfigError("lora.r: this model has no fully connected layers that an adapter could be put on");
  if (wanted == StringList{"all-linear"}) return layers;
  for (const std::string& word : wanted)
    if (std::ranges::none_of(layers, [&](const NamedLinear& layer) { return is_target(layer.name, word); }))
      throw ConfigError(concat("lora.target_modules: ", in_quotes(word), " is the end of no layer's name",
                               did_you_mean(word, ends_of(layers)),
                               "; the layers of this model end in: ", join(last_words(layers), ", ")));
  std::vector<NamedLinear> found;
  for (const NamedLinear& layer : layers)
    if (std::ranges::any_of(wanted, [&](const std::string& word) { return is_target(layer.name, word); }))
      found.push_back(layer);
  return found;
}

}  // namespace sft
