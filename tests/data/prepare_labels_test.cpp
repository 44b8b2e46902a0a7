// Labels of rows and tags of words: how they are numbered, and which are refused.
#include <gtest/gtest.h>

#include "prepare_fixture.h"

namespace sft {
namespace {

TEST_F(PrepareTest, NumbersLabelsAsPromised) {
  struct Case {
    std::string_view name, content;
    std::vector<std::string> names;
    std::vector<int64_t> labels;
  };
  std::string many = "text,label\n";
  std::vector<std::string> many_names;
  std::vector<int64_t> many_labels;
  for (int i = 11; i >= 0; --i) {
    many += concat("a,", i, "\n");
    many_names.push_back(std::to_string(11 - i));
    many_labels.push_back(i);
  }
  const Case cases[] = {
      {"ids.csv", many, many_names, many_labels},
      {"ids.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"label\":0.0}\n", {"0", "1"}, {1, 0}},
      {"gap.jsonl", "{\"text\":\"a\",\"label\":12}\n{\"text\":\"a\",\"label\":3}\n", {"12", "3"}, {0, 1}},
      {"negative.csv", "text,label\na,1\na,-1\n", {"-1", "1"}, {1, 0}},
      {"zeros.csv", "text,label\na,01\na,00\n", {"00", "01"}, {1, 0}},
      {"fraction.jsonl", "{\"text\":\"a\",\"label\":\"1.5\"}\n{\"text\":\"a\",\"label\":0}\n", {"0", "1.5"}, {1, 0}},
      {"boolean.jsonl",
       "{\"text\":\"a\",\"label\":true}\n{\"text\":\"a\",\"label\":false}\n",
       {"false", "true"},
       {1, 0}},
      {"names.jsonl",
       "{\"text\":\"a\",\"label\":\"b\"}\n{\"text\":\"a\",\"label\":\"É\"}\n{\"text\":\"a\",\"label\":\"Z\"}\n",
       {"Z", "b", "É"},
       {1, 2, 0}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    request_.files = {write(std::string(c.name), c.content)};
    const PrepareReport report = run();
    EXPECT_EQ(report.label_names, c.names);
    EXPECT_EQ(labels(report), c.labels);
    EXPECT_EQ(report.label_counts, std::vector<int64_t>(c.names.size(), 1));
  }
}

TEST_F(PrepareTest, UsesKnownNamesWhereTheyCoverTheData) {
  request_.files = {write("a.csv", "text,label\na,pos\nb,neg\n")};
  request_.label_names = {"pos", "neg"};
  EXPECT_EQ(labels(run()), (std::vector<int64_t>{0, 1}));
  request_.label_names = {"pos", "neutral"};
  EXPECT_EQ(run().label_names, (std::vector<std::string>{"neg", "pos"}));

  request_.files = {write("b.csv", "text,label\na,1\nb,0\n")};
  request_.label_names = {"no", "yes"};  // indices
  EXPECT_EQ(labels(run()), (std::vector<int64_t>{1, 0}));
  request_.label_names = {"0.0", "1.0"};  // which say the same
  EXPECT_EQ(labels(run()), (std::vector<int64_t>{1, 0}));
  request_.label_names = {"1 star", "2 stars"};  // 1 may be the first
  EXPECT_EQ(run().label_names, (std::vector<std::string>{"0", "1"}));
}

TEST_F(PrepareTest, NamesALabelThatTrainLacks) {
  request_.label_names = {"games", "libs", "net"};
  request_.labels_must_be_known = true;
  config_.on_bad_row = "skip";  // which does not cover it: the split would be scored without these rows
  EXPECT_EQ(error_of("v.csv", "text,label\na,net\nb,lib\n"),
            "79: v.csv:3: label 'lib' is none of the 3 known labels: 'games', 'libs', 'net' (did you mean 'libs'?)");
  EXPECT_EQ(error_of("v.csv", "text,label\na,net\nb,3\n"),
            "79: v.csv:3: label '3' is none of the 3 known labels: 'games', 'libs', 'net'");
  request_.label_names = {"01", "02"};  // of codes that another program has made numbers
  EXPECT_EQ(error_of("v.csv", "text,label\na,1\n"),
            "79: v.csv:2: label '1' is none of the 2 known labels: '01', '02' (did you mean '01'?)");
  request_.label_names = {"1.0", "2.0"};
  EXPECT_EQ(error_of("v.csv", "text,label\na,1\n").substr(0, 22), "79: v.csv:2: label '1'");
  request_.label_names = {"3", "7"};
  EXPECT_EQ(error_of("v.csv", "text,label\na,3\nb,1\n").substr(0, 22), "79: v.csv:3: label '1'");
}

TEST_F(PrepareTest, LabelsThatLookLikeSlipsAreToldOf) {
  const auto doubts_of = [&](const std::string& rows) {
    request_.files = {write("a.jsonl", rows)};
    std::string all;
    for (const std::string& warning : run().warnings) all += warning.substr(0, warning.find(", and are ")) + "\n";
    return all;
  };
  EXPECT_EQ(doubts_of(json_rows({"\"Spam\"", "\"ham\"", "\"spam \""})),
            "the labels 'Spam' and 'spam ' differ in case, blanks or Unicode form alone\n");
  EXPECT_EQ(doubts_of(json_rows({"\"e\u0301\"", "\"\u00e9\""})).substr(0, 10), "the labels");
  EXPECT_EQ(doubts_of(json_rows({"\"a\"", "\"b\""})), "");
  EXPECT_EQ(doubts_of(json_rows({"\"01\"", "\"1\"", "\"0\""})),
            "the labels '01' and '1' are the same number, and two classes\n");
  EXPECT_EQ(doubts_of(json_rows({"true", "1", "0"})),
            "the labels '1' and 'true' may mean the same\n");
  EXPECT_EQ(doubts_of(json_rows({"true", "false"})), "");
  EXPECT_EQ(doubts_of(json_rows({"\"nan\"", "\"b\""})),
            "the label 'nan' looks like a missing value, and is taken for the name of a class\n");
  EXPECT_EQ(doubts_of(json_rows({"\"NA\"", "\"inf\""})), "");
  request_.task = "token_classification";
  config_.text_column = {"tokens"};
  config_.label_column = "ner_tags";
  const auto tagged = [](const std::string& tag) {
    return R"({"tokens":["a","b"],"ner_tags":["O",")" + tag + R"("]})" + "\n" +
           R"({"tokens":["a"],"ner_tags":["B-X"]})" + "\n";
  };
  EXPECT_EQ(doubts_of(tagged("U-X")).substr(0, 29), "the tag 'U-X' is of BILOU, wh");
  EXPECT_EQ(doubts_of(tagged("I-X")), "");
  EXPECT_EQ(doubts_of("{\"tokens\":[\"a\",\"b\"],\"ner_tags\":[-100,1]}\n").substr(0, 49),
            "the label '-100' is one that transformers passes ");
  EXPECT_EQ(doubts_of("{\"tokens\":[\"a\",\"b\"],\"ner_tags\":[\"O\",\"B_X\"]}\n").substr(0, 28),
            "the tag 'B_X' has a low line");
  EXPECT_EQ(doubts_of("{\"tokens\":[\"a\",\"b\"],\"ner_tags\":[\"O\",\"X-B\"]}\n").substr(0, 27),
            "the tag 'X-B' ends in its m");
}

// Words of letters, of which each is a token.
TEST_F(PrepareTest, TagsGoToTheFirstTokenOfEachWordOrToAll) {
  request_.task = "token_classification";
  config_.text_column = {"tokens"};
  config_.label_column = "ner_tags";
  request_.files = {write("a.conll", "ab B-X\nc I-X\n\nd O\n\n"),
                    write("b.jsonl",
                          "{\"tokens\":[\"ef\",\"\",\"g\"],\"ner_tags\":[\"B-X\",\"O\",\"O\"]}\n"
                          "{\"tokens\":\"d\",\"ner_tags\":[\"I-X\"]}\n")};
  const auto targets = [&](const PrepareReport& report) {
    std::string out;
    for (const Text& example : examples(report)) {
      EXPECT_EQ(example.token_labels.size(), example.tokens.size());
      for (const int32_t label : example.token_labels) out += label == kNoTarget ? "." : std::to_string(label);
      out += ' ';
    }
    return out;
  };
  PrepareReport report = run(3);
  EXPECT_EQ(report.label_names, (std::vector<std::string>{"B-X", "I-X", "O"}));
  EXPECT_EQ(report.label_counts, (std::vector<int64_t>{2, 2, 3}));
  EXPECT_EQ(texts(report), (std::vector<std::string>{"abc", "d", "efg", "d"}));
  EXPECT_EQ(targets(report), ".0.1. .2. .0.2. .1. ");
  ASSERT_EQ(report.notes.size(), 1u);
  const Note& broken = report.notes.begin()->second;
  EXPECT_EQ(broken.num_rows, 1);
  EXPECT_TRUE(broken.first.ends_with("b.jsonl:2: word 1, 'd', has the tag 'I-X'")) << broken.first;
  EXPECT_NE(describe(report, "train").find("\n  1 row has an I- tag that"), std::string::npos);

  config_.label_all_tokens = true;
  EXPECT_EQ(targets(run()), ".011. .2. .012. .1. ");
  request_.split = "test";
  request_.labels_must_be_known = true;
  request_.label_names = report.label_names;
  EXPECT_EQ(targets(run()), ".0.1. .2. .0.2. .1. ") << "scores are of words";
  request_.labels_required = false;
  EXPECT_EQ(targets(run()), ".0.0. .0. .0.0. .0. ") << "without tags, marks of what speaks for words";
}

TEST_F(PrepareTest, SaysWhatIsWrongWithTags) {
  request_.task = "token_classification";
  config_.text_column = {"tokens"};
  config_.label_column = "ner_tags";
  EXPECT_EQ(error_of("a.jsonl", "{\"tokens\":[\"a\"],\"ner_tags\":[\"O\",\"O\"]}\n", 2),
            "79: a.jsonl:1: column 'ner_tags' has 2 tags, and there are 1 words");
  EXPECT_EQ(error_of("b.conll", "a O\nb\n\n"),
            "79: b.conll:2: the word 'b' has no tag; its sentence has others that do");
  EXPECT_EQ(error_of("c.conll", "a O\n\nb\n\n"), "79: c.conll:3: column 'ner_tags' is missing; the row has: 'tokens'");
  config_.text_pair_column = "more";
  EXPECT_EQ(error_of("d.conll", "a O\n\n"), "78: data.text_pair_column: tagged words make no pairs");
}

}  // namespace
}  // namespace sft
