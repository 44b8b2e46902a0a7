#include "data/readers/target_form.h"

#include <array>
#include <utility>

namespace sft {
namespace {

constexpr std::array<std::pair<TargetForm, std::string_view>, 7> kNames = {{
    {TargetForm::label, "label"},
    {TargetForm::label_set, "label_set"},
    {TargetForm::values, "values"},
    {TargetForm::token_labels, "token_labels"},
    {TargetForm::span, "span"},
    {TargetForm::spans, "spans"},
    {TargetForm::sequence, "sequence"},
}};

}  // namespace

std::string name_of(TargetForm form) {
  for (const auto& [known, name] : kNames) {
    if (known == form) return std::string(name);
  }
  return "";
}

std::optional<TargetForm> target_form_named(std::string_view name) {
  for (const auto& [form, known] : kNames) {
    if (known == name) return form;
  }
  return {};
}

}  // namespace sft
