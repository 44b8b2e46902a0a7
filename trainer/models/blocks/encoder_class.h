// The classes that transformers has of each encoder of texts.
#pragma once

#include <string>

namespace sft {

// "BertForTokenClassification" of the family "Bert". ConfigError, in which the model_type is named, where encoders have
// no class with that ending.
std::string encoder_class(const std::string& family, const std::string& model_type, const std::string& class_ending);

}  // namespace sft
