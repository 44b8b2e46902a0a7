#include "trainer/tasks/recipes/unseen_classes.h"

#include "base/text.h"

namespace sft {

void warn_of_unseen_classes(PrepareReport& report, const std::string& cause) {
  constexpr size_t kShown = 5;
  StringList unseen;
  for (size_t id = 0; id < report.label_counts.size(); ++id)
    if (report.label_counts[id] == 0) unseen.push_back(in_quotes(report.label_names[id], 40));
  if (unseen.empty()) return;
  const size_t count = unseen.size();
  if (count > kShown) unseen.resize(kShown);
  report.warnings.push_back(concat(count, " of ", report.label_counts.size(), " classes have no ", report.labels_are_of,
                                   " to learn from: ", join(unseen, ", "), count > kShown ? ", …" : "", cause));
}

}  // namespace sft
