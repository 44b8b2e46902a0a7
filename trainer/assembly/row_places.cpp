#include "trainer/assembly/row_places.h"

#include <algorithm>
#include <functional>
#include <memory>

#include "base/progress.h"
#include "base/text.h"
#include "data/prepare/input.h"
#include "data/readers/input_files.h"
#include "data/readers/input_rows.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

std::vector<std::string> words_in(const Cell& cell) {
  std::vector<std::string> words;
  for (const Cell& item : cell.items) words.push_back(item.text);
  return words;
}

StringList columns_of_text(const DataConfig& data) {
  StringList columns = data.text_column;
  if (!data.text_pair_column.empty()) columns.push_back(data.text_pair_column);
  return columns;
}

// Of HDF5; "": one of a usual name.
std::string label_dataset(const DataConfig& data) {
  return data.label_column == DataConfig{}.label_column ? "" : data.label_column;
}

RowPlace place_of_text(const Row& row, const StringList& columns) {
  RowPlace place{.place = row.place()};
  std::vector<std::string> texts;
  for (const std::string& column : columns)
    if (const Cell* cell = row.find(column); cell != nullptr && cell->kind == Cell::Kind::list)
      texts.push_back(join(place.words = words_in(*cell), " "));
    else if (cell != nullptr)
      texts.push_back(cell->text);
  place.text = beginning_of(join(texts, " "));
  return place;
}

// Rows one after the other, as preparing reads them.
using NextRow = std::function<bool(Row&)>;

void find_rows(std::map<int64_t, RowPlace>& places, const NextRow& next,
               const std::function<RowPlace(const Row&)>& place) {
  Row row;
  for (int64_t number = 0; !places.empty() && number <= places.rbegin()->first && next(row); ++number) {
    beat();
    if (const auto wanted = places.find(number); wanted != places.end()) wanted->second = place(row);
  }
}

NextRow texts_of(const StringList& files, const DataConfig& data) {
  auto rows = std::make_shared<InputRows>(files, quotes_of(data));
  return [rows](Row& row) { return rows->next(row); };
}

// As image_classification opens them.
NextRow pictures_of(const StringList& files, const DataConfig& data) {
  std::shared_ptr<Input> input = std::ranges::any_of(files, is_row_file)
                                     ? open_pictures_of_rows(files, false, data)
                                     : open_pictures(files, true, {data.image_column, label_dataset(data)});
  const int64_t pieces = input->cut(alone());
  return [input, pieces, piece = int64_t{0}, reader = std::shared_ptr<Reader>()](Row& row) mutable {
    for (;; reader.reset()) {
      if (!reader && piece == pieces) return false;
      if (!reader) reader = input->open(piece++);
      if (reader->next(row)) return true;
    }
  };
}

}  // namespace

std::map<int64_t, RowPlace> places_of(const std::vector<int64_t>& numbers, const StringList& asked,
                                      const std::string& key, const LoadedConfig& loaded) {
  const DataConfig& data = loaded.config.data;
  const bool are_pictures = task_named(loaded.config.model.task).takes == Takes::pictures;
  const StringList files = expand_files(asked, key, loaded.origins, accepted_by(loaded.config.model.task));
  std::map<int64_t, RowPlace> places;
  if (data.on_bad_row != "error" || (!are_pictures && !std::ranges::all_of(files, is_row_file))) return places;
  for (const int64_t number : numbers) places[number];
  if (are_pictures)
    find_rows(places, pictures_of(files, data),
              [](const Row& row) { return RowPlace{.place = row.picture->place(), .is_picture = true}; });
  else
    find_rows(places, texts_of(files, data), [&](const Row& row) { return place_of_text(row, columns_of_text(data)); });
  return places;
}

}  // namespace sft
