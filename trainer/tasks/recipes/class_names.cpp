#include "trainer/tasks/recipes/class_names.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sft {

ClassNames::ClassNames(const PrepareRequest& request)
    : split_(request.split),
      required_(request.labels_required),
      must_be_known_(request.labels_must_be_known),
      ids_(request.label_names) {}

nlohmann::json ClassNames::key() const { return {names(), must_be_known_, required_}; }

void ClassNames::settle(const LabelCensus& found, size_t least, const std::string& rows_are, const std::string& hint) {
  const auto& labels = found.labels();
  if (labels.empty()) throw DataError(concat(split_, ": no row has a label", hint));
  if (labels.size() < least)
    throw DataError(concat(split_, ": all ", rows_are, " have the same label, ", in_quotes(labels.begin()->first),
                           "; two classes at least are wanted", hint));
  if (!ids_.cover(found)) ids_ = LabelIds(found.names());
}

bool ClassNames::number(int64_t count) {
  if (std::ssize(names()) == count) return true;
  if (must_be_known_) return false;
  StringList numbered;
  for (int64_t id = 0; id < count; ++id) numbered.push_back(concat("LABEL_", id));
  ids_ = LabelIds(std::move(numbered));
  return true;
}

int64_t ClassNames::id_of(const Row& row, const Label& label) const {
  const int64_t id = ids_(label);
  if (id >= 0) return id;
  throw DataError(concat(row.place(), ": label ", in_quotes(label.text), " ", not_among(label.text, names())));
}

}  // namespace sft
