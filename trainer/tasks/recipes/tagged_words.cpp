#include "trainer/tasks/recipes/tagged_words.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace sft {
namespace {

constexpr std::string_view kSpace = " \t\n\v\f\r";

bool is_string(const Cell& cell) { return cell.kind == Cell::Kind::text || cell.kind == Cell::Kind::plain; }

// Calls put(begin, part) on each part of the text between white space.
template <class Put>
void cut(std::string_view text, const Put& put) {
  for (size_t begin = 0; (begin = text.find_first_not_of(kSpace, begin)) != text.npos;) {
    const size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    put(begin, text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace

void read_words(const Cell& cell, Words& out) {
  out.text.clear();
  out.words.clear();
  out.begins.clear();
  const auto put = [&](size_t begin, std::string_view word) {
    out.words.emplace_back(word);
    out.begins.push_back(begin);
  };
  if (is_string(cell)) {
    out.text = cell.text;
    return cut(out.text, put);
  }
  if (cell.kind != Cell::Kind::list)
    throw CellProblem{concat("wanted an array of words, or a string, found ", describe(cell))};
  for (const Cell& item : cell.items) {
    if (!is_string(item))
      throw CellProblem{
          concat("wanted words, which are strings; number ", out.words.size() + 1, " is ", describe(item))};
    if (!out.words.empty()) out.text += ' ';
    put(out.text.size(), item.text);
    out.text += item.text;
  }
}

void read_tags(const Cell& cell, size_t num_words, std::vector<Label>& out) {
  out.clear();
  if (is_string(cell)) {
    cut(cell.text, [&](size_t, std::string_view tag) {
      read_label({cell.kind, std::string(tag), {}}, out.emplace_back());
    });
  } else if (cell.kind == Cell::Kind::list) {
    for (const Cell& item : cell.items) {
      try {
        read_label(item, out.emplace_back());
      } catch (const CellProblem& problem) {
        throw CellProblem{concat("number ", out.size(), ": ", problem.what)};
      }
    }
  } else {
    throw CellProblem{concat("wanted an array of tags, one a word, found ", describe(cell))};
  }
  if (out.size() != num_words)
    throw CellProblem{concat("has ", out.size(), " tags, and there are ", num_words, " words")};
}

int64_t first_broken(const std::vector<int64_t>& labels, const std::vector<std::string>& label_names) {
  std::string_view before = "O";
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string_view tag = label_names[static_cast<size_t>(labels[i])];
    if (tag.starts_with("I-")) {
      const bool goes_on = (before.starts_with("B-") || before.starts_with("I-")) && before.substr(2) == tag.substr(2);
      if (!goes_on) return static_cast<int64_t>(i);
    }
    before = tag;
  }
  return -1;
}

const Column& text_column() {
  static const Column column{.name = "text", .number = Number::uint8, .axis = "byte", .role = Role::note};
  return column;
}

const Column& words_column() {
  static const Column column{
      .name = "words", .number = Number::int32, .shape = {3}, .axis = "word", .role = Role::note};
  return column;
}

void put_notes(const Words& words, const Encoding& encoding, const Schema& schema, Sample& sample) {
  std::vector<int32_t> places;
  for (size_t i = 0; i < words.words.size(); ++i) {
    const size_t end = words.begins[i] + words.words[i].size();
    places.insert(places.end(), {static_cast<int32_t>(words.begins[i]), static_cast<int32_t>(end), -1});
  }
  for (size_t token = encoding.words.size(); token-- > 0;)  // the first one is the last to be written
    if (encoding.words[token] >= 0)
      places[3 * static_cast<size_t>(encoding.words[token]) + 2] = static_cast<int32_t>(token);
  sample.cells[schema.place(text_column().name)].set(std::vector<uint8_t>(words.text.begin(), words.text.end()));
  sample.cells[schema.place(words_column().name)].set(places);
}

TokenTargets TokenTargets::of_all_tokens(const std::vector<std::string>& label_names) {
  std::vector<int32_t> behind;
  for (size_t id = 0; id < label_names.size(); ++id) {
    auto found = label_names.end();
    if (label_names[id].starts_with("B-"))
      found = std::find(label_names.begin(), label_names.end(), "I-" + label_names[id].substr(2));
    behind.push_back(static_cast<int32_t>(found == label_names.end() ? static_cast<std::ptrdiff_t>(id)
                                                                     : found - label_names.begin()));
  }
  return TokenTargets(std::move(behind));
}

void TokenTargets::put(const Encoding& encoding, const std::vector<int64_t>& word_labels,
                       std::vector<int32_t>& out) const {
  out.assign(encoding.ids.size(), kNoTarget);
  int32_t before = -1;
  for (size_t i = 0; i < encoding.words.size(); ++i) {
    const int32_t word = encoding.words[i];
    if (word >= 0) {
      const int64_t label = word_labels[static_cast<size_t>(word)];
      if (word != before) {
        out[i] = static_cast<int32_t>(label);
      } else if (!behind_.empty()) {
        out[i] = behind_[static_cast<size_t>(label)];
      }
    }
    before = word;
  }
}

}  // namespace sft
