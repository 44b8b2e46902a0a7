// Words and tags of rows, and the targets of tokens; labels against what transformers' run_ner would give.
#include "trainer/tasks/recipes/tagged_words.h"

#include <gtest/gtest.h>

#include <functional>

namespace sft {
namespace {

Cell text(const std::string& content, Cell::Kind kind = Cell::Kind::text) { return {kind, content, {}}; }

Cell list(std::vector<Cell> items) { return {Cell::Kind::list, "array", std::move(items)}; }

std::string problem_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const CellProblem& problem) {
    return problem.what;
  }
  return "none";
}

TEST(TaggedWords, KnowsWhereInTheTextEachWordBegins) {
  Words words;
  read_words(text("  é b\t\nlast "), words);
  EXPECT_EQ(words.words, (std::vector<std::string>{"é", "b", "last"}));
  EXPECT_EQ(words.begins, (std::vector<size_t>{2, 5, 8}));
  read_words(list({text("New York"), text(""), text("é"), text("x")}), words);
  EXPECT_EQ(words.text, "New York  é x");
  EXPECT_EQ(words.words.size(), 4u);
  EXPECT_EQ(words.begins, (std::vector<size_t>{0, 9, 10, 13}));
  read_words(list({}), words);
  EXPECT_EQ(words.text, "");
  EXPECT_TRUE(words.words.empty());
}

TEST(TaggedWords, SaysWhatIsWrongWithARow) {
  Words words;
  std::vector<Label> tags;
  const Cell three = text("3", Cell::Kind::number);
  EXPECT_EQ(problem_of([&] { read_words(three, words); }), "wanted an array of words, or a string, found the number 3");
  EXPECT_EQ(problem_of([&] {
              read_words(list({text("a"), three}), words);
            }),
            "wanted words, which are strings; number 2 is the number 3");
  EXPECT_EQ(problem_of([&] { read_tags(list({text("O")}), 2, tags); }), "has 1 tags, and there are 2 words");
  EXPECT_EQ(problem_of([&] {
              read_tags(list({text("O"), Cell{}}), 2, tags);
            }),
            "number 2: wanted a string, number or boolean, found null");
  EXPECT_EQ(problem_of([&] { read_tags(three, 1, tags); }), "wanted an array of tags, one a word, found the number 3");
  read_tags(list({text("O"), three}), 2, tags);
  EXPECT_TRUE(tags[1].is_index);
  read_tags(text("O  B-X"), 2, tags);
  EXPECT_EQ(tags[1].text, "B-X");
}

TEST(TaggedWords, FindsTheFirstTagThatContinuesNothing) {
  const std::vector<std::string> names = {"O", "B-A", "I-A", "B-B", "I-B"};
  EXPECT_EQ(first_broken({0, 1, 2, 2, 0, 3, 4, 1, 2}, names), -1);
  EXPECT_EQ(first_broken({2, 2}, names), 0);
  EXPECT_EQ(first_broken({1, 0, 2}, names), 2);
  EXPECT_EQ(first_broken({1, 2, 4}, names), 2);
  EXPECT_EQ(first_broken({}, names), -1);
}

// [CLS] w0 w0 w2 [SEP]; word 1 has no token, word 3 was cut off.
TEST(TaggedWords, NotesPlaceEachWordInTheTextAndAtItsFirstToken) {
  Words words;
  read_words(text(" é bc d\te "), words);
  Encoding encoding;
  encoding.words = {-1, 0, 0, 2, -1};
  const Schema schema{.columns = {text_column(), words_column()}};
  Sample sample(schema);
  put_notes(words, encoding, schema, sample);
  const auto bytes = std::as_const(sample.cells[0]).as<uint8_t>();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), words.text);
  EXPECT_TRUE(sample.cells[1] == Packed::of(std::vector<int32_t>{1, 3, 1, 4, 6, -1, 7, 8, 3, 9, 10, -1}));
}

// [CLS] w0 w0 w1 w3 w3 w3 [SEP]; word 2 has no token, word 4 was cut off.
TEST(TokenTargets, LabelsTheFirstTokenOrAllOfThem) {
  Encoding encoding;
  encoding.words = {-1, 0, 0, 1, 3, 3, 3, -1};
  encoding.ids.resize(encoding.words.size());
  const std::vector<std::string> names = {"B-A", "B-B", "I-A", "O"};
  const std::vector<int64_t> labels = {0, 3, 0, 1, 2};
  std::vector<int32_t> targets;
  constexpr int32_t none = kNoTarget;
  TokenTargets::of_first_tokens().put(encoding, labels, targets);
  EXPECT_EQ(targets, (std::vector<int32_t>{none, 0, none, 3, 1, none, none, none}));
  TokenTargets::of_all_tokens(names).put(encoding, labels, targets);
  EXPECT_EQ(targets, (std::vector<int32_t>{none, 0, 2, 3, 1, 1, 1, none})) << "B-B stays, there is no I-B";
}

}  // namespace
}  // namespace sft
