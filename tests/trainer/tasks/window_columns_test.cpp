// What a sample of a window holds.
#include "trainer/tasks/question_answering/rows/window_columns.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/tokenizer_files.h"

namespace sft {
namespace {

const Question kQuestion{
    "q1", "Who wrote it?", "The report was written by 😀 Ada in 1843.", {{"Ada", 28}, {"😀 Ada", 26}}};

// Of the first row of windows_reference.json, BERT's, or of the third, RoBERTa's.
std::unique_ptr<Tokenizer> tokenizer(size_t place) {
  static const json content = json::parse(std::ifstream(SFT_TESTS "/data/windows_reference.json"));
  return Tokenizer::from_directory(Folder(content["tokenizers"][place]["files"]).path());
}

template <class T>
std::span<const T> cell(const Sample& sample, const Schema& schema, const char* column) {
  return sample.cells[schema.place(column)].as<T>();
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns) names.push_back(column.name);
  return names;
}

TEST(WindowColumns, HoldInputsAndTheTarget) {
  const auto bert = tokenizer(0), roberta = tokenizer(2);
  const WindowColumns of_bert(*bert, 64, WindowUse::training), of_roberta(*roberta, 64, WindowUse::training);
  EXPECT_EQ(names_of(of_bert.schema()), (std::vector<std::string>{"tokens", "span", "segments", "no_answer"}));
  EXPECT_EQ(names_of(of_roberta.schema()), (std::vector<std::string>{"tokens", "span", "no_answer"}))
      << "it tells no segments";
  EXPECT_EQ(of_bert.schema().units, StringList{"token"});

  const auto window = bert->encode_windows({kQuestion.question}, {kQuestion.context}, {64, 8})[0].windows.at(0);
  Sample sample(of_bert.schema());
  for (int round = 0; round < 2; ++round) of_bert.put(window, kQuestion, sample);  // cells are filled anew
  const auto tokens = cell<int32_t>(sample, of_bert.schema(), "tokens");
  EXPECT_TRUE(std::ranges::equal(tokens, window.ids));
  const auto span = cell<int32_t>(sample, of_bert.schema(), "span");
  ASSERT_EQ(span.size(), 2u);
  EXPECT_EQ(window.first[static_cast<size_t>(span[0])], 28);
  EXPECT_EQ(window.end[static_cast<size_t>(span[1])], 31);
  EXPECT_EQ(cell<uint8_t>(sample, of_bert.schema(), "no_answer")[0], 0);
  of_bert.put(window, {"q2", "", kQuestion.context, {}}, sample);
  EXPECT_EQ(cell<uint8_t>(sample, of_bert.schema(), "no_answer")[0], 1);
}

TEST(WindowColumns, TellByABoundWhetherQuestionsLackAnswers) {
  Schema schema{.columns = {{.name = "no_answer", .number = Number::uint8, .bound = 1, .role = Role::target}}};
  EXPECT_FALSE(lacks_answers(schema));
  schema.columns[0].bound = 2;
  EXPECT_TRUE(lacks_answers(schema));
  EXPECT_FALSE(lacks_answers({}));
}

TEST(WindowColumns, KeepWhatAnAnswerIsCutFromAndHeldAgainst) {
  const auto bert = tokenizer(0);
  const WindowColumns columns(*bert, 16, WindowUse::scoring);
  const Schema& schema = columns.schema();
  const auto windows = bert->encode_windows({kQuestion.question}, {kQuestion.context}, {16, 2})[0].windows;
  ASSERT_GT(windows.size(), 1u);
  Sample sample(schema);
  for (const ContextWindow& window : windows) {
    columns.put(window, kQuestion, sample);
    EXPECT_TRUE(std::ranges::equal(cell<int32_t>(sample, schema, "first"), window.first));
    EXPECT_TRUE(std::ranges::equal(cell<int32_t>(sample, schema, "end"), window.end));
    const ContextPiece piece{cell<int32_t>(sample, schema, "context_first")[0],
                             text_in(cell<uint8_t>(sample, schema, "context"))};
    EXPECT_EQ(piece.text, piece_of(window, kQuestion.context).text);
    EXPECT_EQ(piece.first, piece_of(window, kQuestion.context).first);
    EXPECT_EQ(text_in(cell<uint8_t>(sample, schema, "id")), "q1");
    EXPECT_EQ(kept_answers(cell<uint8_t>(sample, schema, "answers"), cell<int32_t>(sample, schema, "answer_ends")),
              (std::vector<std::string>{"Ada", "😀 Ada"}));
  }
  columns.put(windows[0], {"q2", "", kQuestion.context, {}}, sample);
  EXPECT_TRUE(cell<int32_t>(sample, schema, "answer_ends").empty());
  const std::vector<std::string> trained = {"tokens", "span", "segments"};
  for (const Column& column : schema.columns) {
    const bool is_trained = std::ranges::find(trained, column.name) != trained.end();
    EXPECT_EQ(column.role == Role::note, !is_trained) << column.name << " stands outside the content hash";
  }
}

}  // namespace
}  // namespace sft
