#include "trainer/assembly/generate_settings.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "base/field_value.h"
#include "base/json_member.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr char kFile[] = "generation_config.json";

// Discarded where there is no such file. DataError where it holds anything else than an object.
json own_settings_of(const ModelDirectory& model) {
  json own = model.json_of(kFile);
  if (!own.is_object() && !model.text_of(kFile).empty())
    throw DataError(concat(model.path(), "/", kFile, " is not a JSON object"));
  return own;
}

// As transformers finds them: the model's generation_config.json, or config.json where there is none.
json settings_of(const ModelDirectory& model) {
  json own = own_settings_of(model);
  return own.is_object() ? own : model.config();
}

// Of a model that reads sources, whose max_length counts the token that a target begins with. Elsewhere it would count
// the prompt.
void take_max_length(GenerateConfig& config, const json& own, const ModelDirectory& model) {
  const auto length = own.find("max_length"), new_tokens = own.find("max_new_tokens");
  if (length == own.end() || !length->is_number_integer()) return;
  if (!member(model.config(), "is_encoder_decoder", false, model.path() + "/config.json")) return;
  if (new_tokens != own.end() && new_tokens->is_number_integer()) return;
  if (length->get<int64_t>() > 1) config.max_new_tokens = length->get<int64_t>() - 1;
}

// −1 where config.json does not say.
int64_t num_tokens(const ModelDirectory& model) {
  const auto found = model.config().find("vocab_size");
  return found != model.config().end() && found->is_number_integer() ? found->get<int64_t>() : -1;
}

bool is_token(double id, int64_t num_tokens) {
  return id >= 0 && id == std::floor(id) && id < static_cast<double>(num_tokens < 0 ? INT32_MAX : num_tokens);
}

// Those that the model knows; −1 and the like stand for none. Answers would never end at others, which is told.
NumberList ids_in(const json& value, const ModelDirectory& model) {
  NumberList ids;
  for (const json& id : value.is_array() ? value : json::array({value})) {
    if (!id.is_number()) continue;
    if (is_token(id.get<double>(), num_tokens(model)))
      ids.push_back(id.get<double>());
    else if (id >= 0)
      log::warn_once(concat(model.path(), ": eos_token_id ", id.dump(), " is no token of this model, which knows ",
                            num_tokens(model), "; no answer ends at it"));
  }
  return ids;
}

void require_tokens(const NumberList& ids, const ModelDirectory& model) {
  for (const double id : ids)
    if (!is_token(id, num_tokens(model)))
      throw ConfigError(
          concat("generate.eos_token_id: ", id, " is no token of ", model.path(), ", which knows ", num_tokens(model)));
}

bool is_of_drawing(const std::string& name) { return name == "temperature" || name == "top_k" || name == "top_p"; }

// As strictly as of a config: DataError naming file and key. But null says nothing, and where nothing is drawn files
// hold odd values of drawing.
void take(const BoundField& field, const json& value, const ModelDirectory& model, bool draws) {
  const std::string name(field.info.name);
  if (value.is_null()) return;
  try {
    assign(field, value, {concat(model.path(), "/", kFile), name, ""});
  } catch (const ConfigError& error) {
    if (draws || !is_of_drawing(name)) throw DataError(error.what());
  }
}

// Settings of transformers that are not built here, with the value that changes nothing.
struct Unbuilt {
  const char* key;
  json neutral;
  bool is_of_drawing = false;
};

const std::vector<Unbuilt>& unbuilt_settings() {
  static const std::vector<Unbuilt> kAll{{"suppress_tokens", json::array()},
                                         {"begin_suppress_tokens", json::array()},
                                         {"sequence_bias", json::object()},
                                         {"force_words_ids", json::array()},
                                         {"stop_strings", json::array()},
                                         {"exponential_decay_length_penalty", json()},
                                         {"encoder_repetition_penalty", 1.0},
                                         {"encoder_no_repeat_ngram_size", 0},
                                         {"diversity_penalty", 0.0},
                                         {"num_beam_groups", 1},
                                         {"penalty_alpha", 0.0},
                                         {"guidance_scale", 1.0},
                                         {"min_p", 0.0, true},
                                         {"typical_p", 1.0, true},
                                         {"epsilon_cutoff", 0.0, true},
                                         {"eta_cutoff", 0.0, true},
                                         {"top_h", json(), true},
                                         {"watermarking_config", json()},
                                         {"max_time", json()},
                                         {"remove_invalid_values", false}};
  return kAll;
}

// Answers would be others in transformers, which obeys them.
void warn_of_unbuilt(const json& own, const ModelDirectory& model, bool draws) {
  for (const Unbuilt& unbuilt : unbuilt_settings()) {
    const auto found = own.find(unbuilt.key);
    if (found == own.end() || found->is_null() || *found == unbuilt.neutral || (unbuilt.is_of_drawing && !draws))
      continue;
    log::warn_once(concat(model.path(), ": ", unbuilt.key, " = ", found->dump().substr(0, 80),
                          " is not built, and has no effect on answers here; transformers obeys it"));
  }
}

// What transformers' generate does otherwise with files that are obeyed here in part.
void warn_of_other_ways(const json& own, const ModelDirectory& model, const GenerateConfig& config,
                        bool length_is_asked) {
  const auto number = [](const json& in, const char* key) {
    const auto found = in.find(key);
    return found != in.end() && found->is_number_integer() ? std::optional(found->get<int64_t>()) : std::nullopt;
  };
  const auto start = number(own, "decoder_start_token_id"), trained = number(model.config(), "decoder_start_token_id");
  if (start && trained && start != trained)
    log::warn_once(concat(model.path(), ": decoder_start_token_id is ", *trained, " in config.json, and targets begin "
                          "with it; that of generation_config.json, ", *start, ", has no effect here"));
  const bool reads_sources = member(model.config(), "is_encoder_decoder", false, model.path() + "/config.json");
  if (const auto length = number(own, "max_length"); length && !reads_sources && !length_is_asked &&
      !number(own, "max_new_tokens"))
    log::warn_once(concat(model.path(), ": max_length = ", *length, " counts the prompt, and has no effect here; an "
                          "answer has at most generate.max_new_tokens = ", config.max_new_tokens, " tokens"));
}

// What transformers' generate would read in config.json of a model without a file of its own for it, and reads no more
// once there is one.
json carried_over(const ModelDirectory& from) {
  StringList keys{"max_length"};
  GenerateConfig known;
  for (const BoundField& field : bind_fields(known)) keys.emplace_back(field.info.name);
  for (const Unbuilt& unbuilt : unbuilt_settings()) keys.emplace_back(unbuilt.key);
  json own = json::object();
  for (const std::string& key : keys)
    if (const auto found = from.config().find(key); found != from.config().end() && !found->is_null())
      own[key] = *found;
  return own;
}

void require_beams(const GenerateConfig& config) {
  constexpr int64_t kMost = 1000;
  if (config.num_beams > kMost)
    throw ConfigError(concat("generate.num_beams is ", config.num_beams, "; wanted at most ", kMost));
}

}  // namespace

GenerateConfig settled(const GenerateConfig& asked, const Origins& origins, const ModelDirectory& model,
                       const std::vector<int32_t>& trained) {
  GenerateConfig config = asked;
  const json own = settings_of(model);
  for (const BoundField& field : bind_fields(config)) {
    const std::string name(field.info.name);
    if (origins.contains("generate." + name) || !own.contains(name)) continue;
    if (name != "eos_token_id") take(field, own[name], model, config.do_sample);
  }
  if (config.eos_token_id.empty() && own.contains("eos_token_id"))
    config.eos_token_id = ids_in(own["eos_token_id"], model);
  if (config.eos_token_id.empty() && model.config().contains("eos_token_id"))
    config.eos_token_id = ids_in(model.config()["eos_token_id"], model);
  if (!origins.contains("generate.max_new_tokens")) take_max_length(config, own, model);
  if (own.is_object()) {
    warn_of_unbuilt(own, model, config.do_sample);
    warn_of_other_ways(own, model, config, origins.contains("generate.max_new_tokens"));
  }
  require_beams(config);
  require_tokens(config.eos_token_id, model);
  if (!origins.contains("generate.eos_token_id"))
    for (const int32_t id : trained)
      if (!has(config.eos_token_id, id)) config.eos_token_id.push_back(id);
  return config;
}

std::string generation_config(const ModelDirectory& from, const GenerateConfig& config,
                              std::optional<int64_t> start_id) {
  json own = own_settings_of(from);
  if (!own.is_object()) own = carried_over(from);
  std::vector<int64_t> ids;
  for (const double id : config.eos_token_id) ids.push_back(static_cast<int64_t>(id));
  if (ids.size() == 1) own["eos_token_id"] = ids.front();
  if (ids.size() > 1) own["eos_token_id"] = ids;
  for (const char* key : {"bos_token_id", "pad_token_id"})
    if (!own.contains(key) && from.config().contains(key)) own[key] = from.config()[key];
  if (start_id) own["decoder_start_token_id"] = *start_id;
  return own.dump(2) + "\n";
}

}  // namespace sft
