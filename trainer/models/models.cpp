// The list of models.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/albert/albert.h"
#include "trainer/models/bart/bart.h"
#include "trainer/models/bert/bert.h"
#include "trainer/models/deberta_v2/deberta_v2.h"
#include "trainer/models/dinov2/dinov2.h"
#include "trainer/models/distilbert/distilbert.h"
#include "trainer/models/electra/electra.h"
#include "trainer/models/gpt2/gpt2.h"
#include "trainer/models/image_size.h"
#include "trainer/models/keras/keras.h"
#include "trainer/models/llama/llama.h"
#include "trainer/models/marian/marian.h"
#include "trainer/models/model.h"
#include "trainer/models/modernbert/modernbert.h"
#include "trainer/models/qwen2/qwen2.h"
#include "trainer/models/qwen3/qwen3.h"
#include "trainer/models/resnet/resnet.h"
#include "trainer/models/roberta/roberta.h"
#include "trainer/models/segformer/segformer.h"
#include "trainer/models/t5/t5.h"
#include "trainer/models/vgg/vgg.h"
#include "trainer/models/vit/vit.h"
#include "trainer/models/xlnet/xlnet.h"
#include "trainer/models/yolos/yolos.h"

namespace sft {
namespace {

using Make = std::unique_ptr<Model> (*)(nlohmann::json content, const ModelSettings& settings);

struct Family {
  const char* model_type;  // of config.json
  Takes takes;
  Make make;
  bool keeps_image_size = false;
};

constexpr auto kFamilies = std::to_array<Family>({
    {"albert", Takes::texts, make_albert},
    {"bart", Takes::texts, make_bart},
    {"bert", Takes::texts, make_bert},
    {"camembert", Takes::texts, make_roberta},
    {"deberta-v2", Takes::texts, make_deberta_v2},
    {"dinov2", Takes::pictures, make_dinov2},
    {"distilbert", Takes::texts, make_distilbert},
    {"electra", Takes::texts, make_electra},
    {"gpt2", Takes::texts, make_gpt2},
    {"keras", Takes::pictures, make_keras},
    {"llama", Takes::texts, make_llama},
    {"marian", Takes::texts, make_marian},
    {"mistral", Takes::texts, make_llama},
    {"modernbert", Takes::texts, make_modernbert},
    {"mt5", Takes::texts, make_t5},
    {"qwen2", Takes::texts, make_qwen2},
    {"qwen3", Takes::texts, make_qwen3},
    {"resnet", Takes::pictures, make_resnet},
    {"roberta", Takes::texts, make_roberta},
    {"segformer", Takes::pictures, make_segformer},
    {"t5", Takes::texts, make_t5},
    {"vgg", Takes::pictures, make_vgg},
    {"vit", Takes::pictures, make_vit},
    {"xlm-roberta", Takes::texts, make_roberta},
    {"xlnet", Takes::texts, make_xlnet},
    {"yolos", Takes::pictures, make_yolos, /*keeps_image_size=*/true},
});

// The row of config.json's content; null where it names none.
const Family* family_of(const nlohmann::json& config) {
  const auto type = config.find("model_type");
  if (type == config.end()) return nullptr;
  const auto found = std::ranges::find_if(kFamilies, [&](const Family& family) { return *type == family.model_type; });
  return found == kFamilies.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> model_types() {
  std::vector<std::string> all;
  for (const Family& family : kFamilies) all.emplace_back(family.model_type);
  return all;
}

Takes takes_of(const nlohmann::json& config) {
  const Family* const family = family_of(config);
  return family == nullptr ? Takes::texts : family->takes;
}

bool keeps_image_size(const nlohmann::json& config) {
  const Family* const family = family_of(config);
  return family != nullptr && family->keeps_image_size;
}

std::unique_ptr<Model> make_model(const nlohmann::json& config, const ModelSettings& settings) {
  if (const Family* const family = family_of(config)) return family->make(config, settings);
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string())
    throw ConfigError("config.json has no model_type; built are: " + join(model_types(), ", "));
  const auto wanted = type->get<std::string>();
  throw ConfigError(concat("model_type ", in_quotes(wanted), " is not built", did_you_mean(wanted, model_types()),
                           "; built are: ", join(model_types(), ", ")));
}

}  // namespace sft
