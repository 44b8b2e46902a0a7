#include "trainer/assembly/told_mistakes.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "trainer/assembly/row_places.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

constexpr size_t kMostMistakes = 15;
constexpr size_t kWordsAround = 8;

// "lives in »Berlin« and": the word among its neighbours.
std::string around(const std::vector<std::string>& words, size_t word) {
  const size_t first = word - std::min(word, kWordsAround), end = std::min(words.size(), word + kWordsAround + 1);
  std::vector<std::string> shown(words.begin() + static_cast<std::ptrdiff_t>(first),
                                 words.begin() + static_cast<std::ptrdiff_t>(end));
  std::string& marked = shown[word - first];
  marked = concat("»", marked, "«");
  return concat(first > 0 ? "… " : "", join(shown, " "), end < words.size() ? " …" : "");
}

// Targets count the words of a row where each word has one: not where a row was cut, or a word has no tokens.
bool targets_are_words(const RowPlace& place, const nlohmann::ordered_json& mistake) {
  return mistake.value("of_words", size_t{0}) == place.words.size();
}

void add_place(const RowPlace& place, nlohmann::ordered_json& mistake) {
  if (place.is_picture) {
    mistake["image"] = place.place;
    return;
  }
  mistake["place"] = place.place;
  const size_t none = place.words.size();
  const size_t word = targets_are_words(place, mistake) ? mistake.value("word", none) : none;
  if (word == none) mistake.erase("word");
  mistake["text"] = word < place.words.size() ? around(place.words, word) : place.text;
}

}  // namespace

Evaluator::MistakeSettings mistake_settings(const Assembly& run) {
  const TaskKind& kind = task_of_type(run.config().model.task, run.data.labels.problem_type);
  const bool is_set = kind.target == label_set_column(0);
  if (!is_set && !(kind.target == label_column(0)) && !(kind.target == token_labels_column(0))) return {};
  return {.most = kMostMistakes, .labels = run.data.labels.names, .squash = is_set ? Squash::sigmoid : Squash::softmax};
}

void leave_out_unsure_words(nlohmann::ordered_json& details) {
  if (!details.is_object() || !details.contains("mistakes")) return;
  for (auto& mistake : details["mistakes"]) {
    if (!mistake.contains("text")) mistake.erase("word");
    mistake.erase("of_words");
  }
}

void add_places(const Assembly& run, nlohmann::ordered_json& details) {
  if (!details.is_object() || !details.contains("mistakes")) return;
  std::vector<int64_t> rows;
  for (const auto& mistake : details["mistakes"]) rows.push_back(mistake.at("row"));
  try {
    const RowPlaces places = places_of(rows, RowsOf::validation, run);
    for (auto& mistake : details["mistakes"])
      if (const auto place = places.find(mistake.at("row")); place != places.end())
        add_place(place->second, mistake);
  } catch (const std::exception& error) {
    log::warn(concat("wrong rows of validation are told without their texts: ", error.what()));
  }
  leave_out_unsure_words(details);
}

}  // namespace sft
