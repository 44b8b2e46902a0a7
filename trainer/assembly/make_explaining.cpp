#include "trainer/assembly/make_explaining.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {

std::unique_ptr<Explaining> make_explaining(const Explained& asked, const TaskKind& kind, Learner& learner,
                                            const Tokenizer* tokenizer) {
  const bool of_texts = kind.takes == Takes::texts;
  const std::string named =
      concat("this model (", learner.model().config().value("model_type", "?"), ") is for ", kind.name);
  if (!(kind.target == label_column(0)))
    throw ConfigError(concat(asked.asked, " is for models that give a row one label, and ", named,
                             *kind.problem_type == '\0' ? "" : concat(" of ", kind.problem_type)));
  if (of_texts && !asked.heat_maps.empty())
    throw ConfigError(concat("--heat-maps is of pictures, and ", named, "; the scores of words are in --output"));
  return of_texts ? explain_texts(learner, *tokenizer, asked.way)
                  : explain_pictures(learner, asked.way, asked.heat_maps, real_files());
}

}  // namespace sft
