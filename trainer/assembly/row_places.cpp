#include "trainer/assembly/row_places.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/failpoint.h"
#include "base/text.h"
#include "data/prepare/side_rows.h"
#include "data/readers/input_files.h"
#include "trainer/assembly/prepared_files.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

constexpr uintmax_t kMostPictureBytes = uintmax_t{1} << 30;  // of sides of a split, to be read again

std::vector<std::string> words_in(const Cell& cell) {
  std::vector<std::string> words;
  for (const Cell& item : cell.items) words.push_back(item.text);
  return words;
}

RowPlace place_of_text(const Row& row, const DataConfig& data) {
  StringList columns = data.text_column;
  if (!data.text_pair_column.empty()) columns.push_back(data.text_pair_column);
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

bool are_too_large(const Input& input) {
  uintmax_t bytes = 0;
  for (const StringList& files : input.files())
    for (const std::string& file : files) bytes += std::filesystem::file_size(file);
  return bytes > kMostPictureBytes;
}

PrepareRequest::Side side_of(RowsOf rows, const DataConfig& data) {
  if (!data.validation_file.empty() || !holds_out(data)) return PrepareRequest::Side::all;
  return rows == RowsOf::training ? PrepareRequest::Side::train : PrepareRequest::Side::validation;
}

// Calls `next` up to the last of the rows.
void fill_places(RowPlaces& places, const std::function<bool(Row&)>& next, const DataConfig& data) {
  Row row;
  for (int64_t number = 0; !places.empty() && number <= places.rbegin()->first && next(row); ++number) {
    failpoint("rows.read_again");
    if (const auto wanted = places.find(number); wanted != places.end())
      wanted->second =
          row.picture ? RowPlace{.place = row.picture->place(), .is_picture = true} : place_of_text(row, data);
  }
}

// `tokenizer` is wanted for sides of texts alone.
RowPlaces places_in(const std::vector<int64_t>& numbers, const PrepareRequest& request, const LoadedConfig& loaded,
                    const Tokenizer* tokenizer) {
  const DataConfig& data = loaded.config.data;
  const TaskKind& task = task_named(request.task);
  const bool are_texts = task.takes == Takes::texts;
  if (data.on_bad_row != "error" || are_prepared(request.files, "train", task.takes)) return {};
  if (are_texts && !std::ranges::all_of(request.files, is_row_file)) return {};
  RowPlaces places;
  for (const int64_t number : numbers) places[number];
  if (are_texts && !request.splits()) {
    AllRows rows(open_rows(request.files, data));
    fill_places(places, [&](Row& row) { return rows.next(row); }, data);
    return places;
  }
  const std::unique_ptr<Recipe> recipe = task.recipe(request, data, tokenizer);
  if (request.splits()) {
    if (!are_texts && are_too_large(*recipe->open(request.files))) return {};
    SideRows rows(request, data, *recipe);
    fill_places(places, [&](Row& row) { return rows.next(row); }, data);
  } else {
    AllRows rows(recipe->open(request.files));
    fill_places(places, [&](Row& row) { return rows.next(row); }, data);
  }
  return places;
}

PrepareRequest request_for(const StringList& asked, const char* key, const LoadedConfig& loaded) {
  PrepareRequest request;
  request.files = expand_files(asked, key, loaded.origins, accepted_by(loaded.config.model.task));
  request.task = loaded.config.model.task;
  return request;
}

}  // namespace

RowPlaces places_of(const std::vector<int64_t>& numbers, const LoadedConfig& loaded) {
  return places_in(numbers, request_for(loaded.config.data.train_file, "data.train_file", loaded), loaded, nullptr);
}

RowPlaces places_of(const std::vector<int64_t>& numbers, RowsOf rows, const Assembly& run) {
  const DataConfig& data = run.config().data;
  const bool has_own_file = rows == RowsOf::validation && !data.validation_file.empty();
  PrepareRequest request = has_own_file ? request_for(data.validation_file, "data.validation_file", run.loaded)
                                        : request_for(data.train_file, "data.train_file", run.loaded);
  request.side = side_of(rows, data);
  request.split_seed = static_cast<uint64_t>(run.config().seed);
  request.problem_type = run.data.labels.problem_type;
  request.label_names = run.data.labels.names;
  request.labels_must_be_known = true;
  return places_in(numbers, request, run.loaded, run.data.tokenizer.get());
}

}  // namespace sft
