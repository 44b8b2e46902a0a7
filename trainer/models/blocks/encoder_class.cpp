#include "trainer/models/blocks/encoder_class.h"

#include "base/errors.h"
#include "base/text.h"

namespace sft {

std::string encoder_class(const std::string& family, const std::string& model_type, const std::string& class_ending) {
  for (const char* known : {"ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"})
    if (class_ending == known) return family + class_ending;
  throw ConfigError(concat("model_type ", model_type, " has no transformers class that ends in ", class_ending));
}

}  // namespace sft
