#include "trainer/tasks/token_classification/entity_rows.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <string_view>

#include "trainer/tasks/recipes/tagged_words.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

// A word that has a token.
struct Word {
  size_t number;      // of all words of the row
  size_t begin, end;  // bytes of the text
};

std::string text_of(const Batch& batch, size_t b) {
  const Offsets& bytes = batch.offsets(text_column().axis);
  const auto text = batch.at(text_column().name).as<uint8_t>();
  return {text.begin() + bytes[b], text.begin() + bytes[b + 1]};
}

std::vector<Word> words_with_tokens(std::span<const int32_t> places) {
  std::vector<Word> words;
  for (size_t i = 0; 3 * i < places.size(); ++i)
    if (places[3 * i + 2] >= 0)
      words.push_back({i, static_cast<size_t>(places[3 * i]), static_cast<size_t>(places[3 * i + 1])});
  return words;
}

// Characters before a byte of UTF-8.
int64_t characters_before(const std::string& text, size_t byte) {
  return std::ranges::count_if(std::string_view(text).substr(0, byte),
                               [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

ordered_json entities_of(const std::string& text, const std::vector<Word>& words, const Tagging& tagging,
                         const std::vector<int64_t>& tags, const std::vector<double>& scores) {
  auto out = ordered_json::array();
  if (!tagging.marks_entities()) return out;
  for (const Entity& entity : tagging.entities(tags)) {
    const size_t begin = words[static_cast<size_t>(entity.first)].begin,
                 end = words[static_cast<size_t>(entity.end) - 1].end;
    out.push_back({{"type", tagging.types()[static_cast<size_t>(entity.type)]},
                   {"start", characters_before(text, begin)},
                   {"end", characters_before(text, end)},
                   {"text", text.substr(begin, end - begin)},
                   {"score", *std::min_element(scores.begin() + entity.first, scores.begin() + entity.end)}});
  }
  return out;
}

}  // namespace

bool has_words(const Schema& schema) {
  return schema.find(text_column().name) != nullptr && schema.find(words_column().name) != nullptr;
}

ordered_json entity_row(const Batch& batch, size_t b, const Tagging& tagging, const std::vector<std::string>& names,
                        const std::vector<int64_t>& tags, const std::vector<double>& scores) {
  const Offsets& offsets = batch.offsets(words_column().axis);
  const auto num_words = static_cast<size_t>(offsets[b + 1] - offsets[b]);
  const std::vector<Word> words = words_with_tokens(
      batch.at(words_column().name).as<int32_t>().subspan(3 * static_cast<size_t>(offsets[b]), 3 * num_words));
  assert(words.size() == tags.size());
  ordered_json by_word = std::vector<ordered_json>(num_words);
  for (size_t i = 0; i < tags.size(); ++i) by_word[words[i].number] = names[static_cast<size_t>(tags[i])];
  return ordered_json{{"entities", entities_of(text_of(batch, b), words, tagging, tags, scores)}, {"tags", by_word}};
}

}  // namespace sft
