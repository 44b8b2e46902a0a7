#include "data/text/built_in_templates.h"

#include <array>
#include <utility>

namespace sft {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 2> kTemplates{{{"chatml",
                                                                          R"({%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
)"},
                                                                         {"llama3",
                                                                          R"({{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
)"}}};

}  // namespace

std::vector<std::string> built_in_template_names() {
  std::vector<std::string> names;
  for (const auto& [name, text] : kTemplates) names.emplace_back(name);
  return names;
}

std::string built_in_template(const std::string& wanted) {
  for (const auto& [name, text] : kTemplates)
    if (name == wanted) return text;
  return "";
}

}  // namespace sft
