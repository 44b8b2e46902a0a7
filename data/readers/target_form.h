// The forms of targets, and how files and messages spell them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sft {

// What a dataset's samples are to be mapped to; one form for all of them.
enum class TargetForm {
  label,         // one class
  label_set,     // any number of k classes
  values,        // k real numbers
  token_labels,  // a class for each token, −100 where the token has none
  span,          // a first and a last token
  spans,         // any number of stretches of tokens
  sequence,      // tokens of another text
};

std::string name_of(TargetForm form);                                // "label_set"
std::optional<TargetForm> target_form_named(std::string_view name);  // nothing where no form has that name

}  // namespace sft
