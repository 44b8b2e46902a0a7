// SQuAD's JSON and the rows of datasets: every question once, and what is wrong is named.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/text.h"
#include "data/readers/question.h"
#include "data/readers/reader.h"

namespace sft {
namespace {

class SquadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / concat("sft-squad-", info->name(), "-", ::getpid());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    return path;
  }

  std::filesystem::path directory_;
};

std::string without_directory(std::string_view message) {
  return std::string(message.substr(message.find_last_of('/') + 1));
}

// "line|id|question|context|text@first …" of each row, "! message" of a bad one, and of a bad file the last one.
std::vector<std::string> questions_of(const std::string& path) {
  std::vector<std::string> out;
  const auto reader = open_reader(path);
  Row row;
  Question question;
  while (true) {
    try {
      if (!reader->next(row)) return out;
      read_question(row, {}, question);
      read_answers(row, {}, question);
      std::string text = concat(row.line, "|", question.id, "|", question.question, "|", question.context, "|");
      for (const MarkedAnswer& answer : question.answers) text += concat(answer.text, "@", answer.first, " ");
      out.push_back(text);
    } catch (const CellProblem& problem) {
      out.push_back(concat("! ", row.line, ": ", problem.what));
    } catch (const BadRow& error) {
      out.push_back("! " + without_directory(error.what()));
    } catch (const DataError& error) {
      out.push_back("!! " + without_directory(error.what()));
      return out;
    }
  }
}

std::string paragraph(const std::string& context, const std::string& questions) {
  return concat(R"({"context": ")", context, R"(", "qas": [)", questions, "]}");
}

std::string document(const std::string& paragraphs) {
  return concat(R"({"version": "v2.0", "data": [{"title": "T", "paragraphs": [)", paragraphs, "]}]}");
}

std::string question(const std::string& id, const std::string& answers) {
  return concat(R"({"id": ")", id, R"(", "question": "who?", "answers": [)", answers, "]}");
}

std::string answer(const std::string& text, int64_t first) {
  return concat(R"({"text": ")", text, R"(", "answer_start": )", first, "}");
}

TEST_F(SquadTest, GivesEveryQuestionARow) {
  const auto path = write("a.json",
                          "\xEF\xBB\xBF"
                          R"({"data": [
    {"title": "{\"paragraphs\": [1, \\", "paragraphs": [
      {"qas": [{"question": "who?", "id": "1", "answers": [{"text": "Ada", "answer_start": 3}, {"text": "é Ada", "answer_start": 1}]},
               {"question": "when?", "id": "2", "plausible_answers": [{"text": "A", "answer_start": 3}], "answers": [], "is_impossible": true}],
       "context": "\ud83d\ude00é Ada"},
      {"context": "empty", "qas": []}]},
    {"paragraphs": []},
    {"paragraphs": [{"context": "}]}", "document_id": 5, "qas": [{"id": "3", "question": "", "answers": [{"answer_id": 6, "answer_start": 0, "text": "}]}"}]}]}], "more": [[], {}]}
  ], "version": 1.1}
)");
  const std::vector<std::string> wanted = {"3|1|who?|😀é Ada|Ada@3 é Ada@1 ", "3|2|when?|😀é Ada|", "8|3||}]}|}]}@0 "};
  EXPECT_EQ(questions_of(path), wanted);
  EXPECT_EQ(columns_of(path), (std::vector<std::string>{"id", "question", "context", "answers"}));
}

TEST_F(SquadTest, GivesItsRowsOnceHoweverTheFileIsCut) {
  std::string paragraphs;
  for (int i = 0; i < 50; ++i) {
    if (i > 0) paragraphs += ",\n";
    paragraphs += paragraph(concat("Ada was here ", i),
                            question(concat(i, "a"), answer("Ada", 0)) + "," + question(concat(i, "b"), ""));
  }
  const auto path = write("a.json", document(paragraphs));
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  for (const int64_t cut : {int64_t{1}, size / 2, size - 1}) {
    std::vector<std::string> ids;
    Place place;
    for (const auto& [begin, end] : {std::pair{int64_t{0}, cut}, std::pair{cut, size}}) {
      const auto reader = open_reader(path, place, end);
      for (Row row; reader->next(row);) ids.push_back(row.find("id")->text);
      place = behind(place, survey(path, begin, end));
    }
    EXPECT_EQ(ids.size(), 100u);
    EXPECT_EQ(place.byte, size);
  }
}

TEST_F(SquadTest, LeavesJsonLinesToTheirReader) {
  EXPECT_EQ(columns_of(write("a.json", "{\"text\": \"data\", \"label\": [1]}\n{\"text\": 2}\n")),
            (std::vector<std::string>{"text", "label"}));
  EXPECT_EQ(columns_of(write("b.json", "{\"data\": [{\"a\": 1}], \"label\": 1}\n{\"data\": []}\n")),
            (std::vector<std::string>{"data", "label"}));
  EXPECT_EQ(columns_of(write("c.json", "{\"data\": \"x\", \"label\": 1}\n")),
            (std::vector<std::string>{"data", "label"}));
}

TEST_F(SquadTest, ReadsTheRowsOfDatasets) {
  const auto path = write(
      "a.jsonl",
      R"({"id": "1", "title": "T", "context": "By Ada.", "question": "who?", "answers": {"text": ["Ada", "By Ada"], "answer_start": [3, 0]}})"
      "\n"
      R"({"id": 2, "context": "By Ada.", "question": "when?", "answers": {"text": [], "answer_start": []}})"
      "\n"
      R"({"id": "3", "context": "By Ada.", "question": "who?", "answers": [{"text": "Ada", "answer_start": 3.0}]})"
      "\n");
  const std::vector<std::string> wanted = {"1|1|who?|By Ada.|Ada@3 By Ada@0 ", "2|2|when?|By Ada.|",
                                           "3|3|who?|By Ada.|Ada@3 "};
  EXPECT_EQ(questions_of(path), wanted);
}

TEST_F(SquadTest, SaysWhereAnAnswerIsNot) {
  const auto problem = [&](const std::string& context, const std::string& answers) {
    const auto rows = questions_of(write("a.json", document(paragraph(context, question("q", answers)))));
    return rows.size() == 1 ? rows[0] : concat(rows.size(), " rows");
  };
  EXPECT_EQ(problem("By Ada.", answer("Ada", 4)),
            "! 1: question 'q': the answer 'Ada' is not at answer_start = 4, where the context has 'da.'");
  EXPECT_EQ(problem("By Ada.", answer("Ada", 70)),
            "! 1: question 'q': the answer 'Ada' is not at answer_start = 70, where the context has nothing: it has 7 "
            "characters");
  EXPECT_EQ(problem("😀😀 Ada was", answer("Ada", 5)),
            "! 1: question 'q': the answer 'Ada' is not at answer_start = 5, where the context has 'a w'. It is there "
            "in units "
            "of UTF-16, as JavaScript and Java count; characters are wanted, code points of Unicode");
  EXPECT_EQ(problem("漢字 Ada was here", answer("Ada", 7)),
            "! 1: question 'q': the answer 'Ada' is not at answer_start = 7, where the context has 'was'. It is there "
            "in bytes "
            "of UTF-8; characters are wanted, code points of Unicode");
  EXPECT_EQ(problem("By Ada.", answer("", 0)),
            "! 1: question 'q': an answer is empty; a question without one has an empty list of answers");
  EXPECT_EQ(problem("By Ada.", answer("Ada", -1)),
            "! 1: question 'q': an answer's 'answer_start' is wanted as a whole number from 0, found the number -1");
  EXPECT_EQ(problem("By Ada.", R"({"text": "Ada"})"),
            "! 1: question 'q': an answer is wanted as an object with 'text' and 'answer_start'");
}

TEST_F(SquadTest, SaysWhatIsWrongWithARowAndGoesOn) {
  const std::string good = question("good", answer("Ada", 0));
  const auto problems = [&](const std::string& paragraphs) {
    auto rows = questions_of(write("a.json", document(paragraphs + ",\n" + paragraph("Ada", good))));
    EXPECT_EQ(rows.back(), "2|good|who?|Ada|Ada@0 ");
    rows.pop_back();
    return join(rows, "\n");
  };
  EXPECT_EQ(problems(paragraph("Ada", question("other", answer("Ada", 0)))), "1|other|who?|Ada|Ada@0 ");
  EXPECT_EQ(problems(R"({"qas": [], "title": "no context"})"),
            "! a.json:1: the paragraph that begins here has no 'context'");
  EXPECT_EQ(problems(R"({"qas": [], "context": ["a"]})"),
            "! a.json:1: the paragraph that begins here has 'context' that is no string: an array");
  EXPECT_EQ(problems(R"({"context": "a", "qas": {}})"), "! a.json:1: the paragraph that begins here has no list 'qas'");
  EXPECT_EQ(problems("7"), "! a.json:1: wanted a JSON object, found a number (of the paragraph that begins here)");
  EXPECT_EQ(problems(R"({"context": "a", "qas": [,]})"),
            "! a.json:1: not valid JSON at column 26: unexpected ','; expected '[', '{', or a literal (of the "
            "paragraph that begins here)");
  EXPECT_EQ(problems("{\"context\": \"\xFF\", \"qas\": []}"),
            "! a.json:1: not valid UTF-8; iconv -f LATIN1 -t UTF-8, or from what it is, converts it (of the paragraph "
            "that begins here)");
  EXPECT_EQ(problems(paragraph("a", R"("no object")")),
            "! a.json:1: question 1 of the paragraph that begins here is no object: 'no object'");
  EXPECT_EQ(problems(paragraph("a", R"({"question": "who?", "answers": []})")),
            "! a.json:1: question 1 of the paragraph that begins here has no 'id'");
  EXPECT_EQ(problems(paragraph("a", R"({"id": "x", "answers": []})")), "! a.json:1: question 'x' has no 'question'");
  EXPECT_EQ(problems(paragraph("a", R"({"id": "x", "question": "who?"})")), "! 1: question 'x': there is no 'answers'");
  EXPECT_EQ(problems(paragraph("a", question("x", "") + "," + question("x", ""))),
            "1|x|who?|a|\n! a.json:1: question 'x' stands in this file before: an id names one question");
  EXPECT_EQ(problems(paragraph("Ada", R"({"id": "x", "question": "who?", "is_impossible": true, "answers": [)" +
                                          answer("Ada", 0) + "]}")),
            "! 1: question 'x': is_impossible is true, but there are answers");
}

TEST_F(SquadTest, SaysWhatIsWrongWithAFile) {
  const std::string whole = document(paragraph("Ada", question("a", answer("Ada", 0))));
  const auto last = [&](const std::string& content) { return questions_of(write("a.json", content)).back(); };
  for (size_t size = whole.find("\"paragraphs\"") + 14; size < whole.size(); ++size)
    ASSERT_EQ(last(whole.substr(0, size)), "!! a.json:1: the JSON document ends too early; is the file cut off?")
        << size;
  EXPECT_EQ(last(whole + "\n" + whole), "!! a.json:2: the JSON document has ended, but the file goes on");
  EXPECT_EQ(last(R"({"data": [{"paragraphs": [{"context": "a", "qas": []} {}]}]})"),
            "!! a.json:1: wanted ',' or ']', found '{'");
  EXPECT_EQ(last(R"({"data": [{"paragraphs": [,]}]})"), "!! a.json:1: wanted a value, found ','");
  EXPECT_EQ(last(R"({"data": [{"paragraphs": 3}]})"), "!! a.json:1: wanted '[', found '3'");
  EXPECT_EQ(last(R"({"data": [{"paragraphs": []}, 3]})"), "!! a.json:1: wanted '{', found '3'");
}

}  // namespace
}  // namespace sft
