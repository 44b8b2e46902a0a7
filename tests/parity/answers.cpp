#include "parity/answers.h"

#include <vector>

#include "base/config_file.h"
#include "trainer/learner/generator.h"

namespace sft::parity {

using nlohmann::json;

json answers(Learner& learner, const json& test) {
  GenerateConfig generate;
  from_json(bind_fields(generate), test["generate"]);
  const Generating& task = *learner.task().generating();
  Generator generator(learner.model(), [&](const at::Tensor& x_BC) { return task.next_logits(x_BC); },
                      {.generate = generate, .seed = 7, .sequences = test["at_once"]});
  std::vector<Prompt> prompts;
  for (const json& tokens : test["prompts"])
    prompts.push_back({tokens.get<std::vector<int32_t>>(), static_cast<int64_t>(prompts.size())});
  std::vector<json> said(prompts.size());
  generator.run(prompts, [&](size_t i, const Continuation& one) {
    said[i] = {{"tokens", one.tokens}, {"stopped", one.stopped}};
  });
  return said;
}

}  // namespace sft::parity
