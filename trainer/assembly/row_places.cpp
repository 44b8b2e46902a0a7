#include "trainer/assembly/row_places.h"

#include <algorithm>

#include "base/progress.h"
#include "base/text.h"
#include "data/prepare/input.h"
#include "data/readers/input_files.h"
#include "data/readers/input_rows.h"
#include "trainer/tasks/recipes/row_notes.h"

namespace sft {
namespace {

std::string text_of(const Row& row, const StringList& columns) {
  std::vector<std::string> texts;
  for (const std::string& column : columns)
    if (const Cell* cell = row.find(column); cell != nullptr) texts.push_back(cell->text);
  return beginning_of(join(texts, " "));
}

}  // namespace

std::map<int64_t, RowPlace> places_of(const std::vector<int64_t>& numbers, const LoadedConfig& loaded) {
  const DataConfig& data = loaded.config.data;
  const StringList files =
      expand_files(data.train_file, "data.train_file", loaded.origins, accepted_by(loaded.config.model.task));
  std::map<int64_t, RowPlace> places;
  if (data.on_bad_row != "error" || !std::ranges::all_of(files, is_row_file)) return places;
  for (const int64_t number : numbers) places[number];
  InputRows rows(files, quotes_of(data));
  Row row;
  for (int64_t number = 0; !places.empty() && number <= places.rbegin()->first && rows.next(row); ++number) {
    beat();
    if (const auto wanted = places.find(number); wanted != places.end())
      wanted->second = {row.place(), text_of(row, data.text_column)};
  }
  return places;
}

}  // namespace sft
