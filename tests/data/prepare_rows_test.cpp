// What prepare makes of raw rows, and what is wrong with them, told with file and line.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "prepare_fixture.h"
#include "trainer/tasks/recipes/row_notes.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

TEST_F(PrepareTest, KeepsTokensLabelsAndWeights) {
  config_.text_column = {"title", "body"};
  config_.text_pair_column = "other";
  config_.weight_column = "w";
  config_.max_length = 9;
  request_.files = {write("a.jsonl",
                          "{\"title\":\"ab\",\"body\":\"c\",\"other\":\"d\",\"label\":1,\"w\":0.5}\n"
                          "{\"title\":\"abcdefgh\",\"body\":\"\",\"other\":\"xy\",\"label\":0,\"w\":2}\n")};
  const PrepareReport report = run();
  const auto got = examples(report);
  ASSERT_EQ(got.size(), 2u);
  const Encoding first = tokenizer_->encode_pair("ab c", "d"), second = tokenizer_->encode_pair("abcdefgh ", "xy");
  EXPECT_EQ(got[0].tokens, first.ids);
  EXPECT_EQ(got[0].segments, first.segments);
  EXPECT_EQ(got[1].tokens, second.ids);
  EXPECT_EQ(got[0].label, 1);
  EXPECT_EQ(got[1].label, 0);
  EXPECT_EQ(got[0].weight, 0.5f);
  EXPECT_EQ(got[1].weight, 2.0f);
  EXPECT_EQ(report.truncated_rows, 1);
  EXPECT_EQ(report.total_units, 7 + 9);
  EXPECT_EQ(report.length_histogram, (std::vector<int64_t>{0, 0, 1, 1}));
  const auto dataset = open_dataset(report.shards);
  EXPECT_EQ(dataset->info().tokenizer_sha256, tokenizer_->sha256());
  EXPECT_EQ(dataset->schema().at("tokens").bound, tokenizer_->vocab_size());
  EXPECT_EQ(dataset->info().max_length, 9);
}

TEST_F(PrepareTest, ReadsWhatIsUnusualButRight) {
  const std::string long_line(10 << 20, 'x');
  request_.files = {
      write("a.jsonl", concat("\xEF\xBB\xBF{\"text\":\"nul\\u0000here\",\"label\":\"ein Wort, Größe\"}\r\n\r\n",
                              "{\"text\":\"\",\"label\":\" \"}\r\n{\"text\":\"", long_line, "\",\"label\":\" \"}"))};
  const PrepareReport report = run();
  EXPECT_EQ(report.label_names, (std::vector<std::string>{" ", "ein Wort, Größe"}));
  EXPECT_EQ(labels(report), (std::vector<int64_t>{1, 0, 0}));
  EXPECT_EQ(texts(report), (std::vector<std::string>{"nulhere", "", ""}));  // a word of 10 MB is unknown
}

TEST_F(PrepareTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of("a.csv", "txt,label\na,b\n"),
            "78: a.csv: data.text_column = 'text', but the columns are: 'txt', 'label' (did you mean 'txt'?)");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"lable\":1}\n"),
            "78: a.jsonl: data.label_column = 'label', but the columns are: 'text', 'lable' (did you mean 'lable'?)");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\"}\n"),
            "79: a.jsonl:2: column 'label' is missing; the row has: 'text'");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"label\":1}\n\n{\"text\":7,\"label\":1}\n"),
            "79: a.jsonl:3: column 'text' wanted a string, found the number 7");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"a\",\"label\":[1]}\n"),
            "79: a.jsonl:2: column 'label' wanted a string, number or boolean, found an array");
  EXPECT_EQ(error_of("a.csv", "text,label\na,\n"), "79: a.csv:2: column 'label' is empty");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"\xC3\x28\",\"label\":1}\n"),
            "79: a.jsonl:2: not valid UTF-8; iconv -f LATIN1 -t UTF-8, or from what it is, converts it");
  EXPECT_EQ(error_of("a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\",\"label\":}\n").substr(0, 43),
            "79: a.jsonl:2: not valid JSON at column 21:");
  EXPECT_EQ(
      error_of("a.csv", "text,label\na,x\nb,x\n"),
      "79: train: all rows have the same label, 'x'; two classes at least are wanted (data.label_column = 'label')");
  EXPECT_EQ(error_of("a.csv", "text,label\n"), "79: a.csv: no row for train in it");
  EXPECT_EQ(error_of("a.csv", ""), "79: a.csv: no row for train in it");
  EXPECT_EQ(error_of("a.jsonl", ""), "79: a.jsonl: no row for train in it");
  config_.weight_column = "w";
  for (const std::string_view weight : {"-1", "nan", "inf", "x", "", "1e99"}) {
    EXPECT_EQ(error_of("a.csv", concat("text,label,w\na,x,1\nb,y,", weight, "\n")),
              concat("79: a.csv:3: column 'w' wanted a finite number ≥ 0, found '", weight, "'"));
  }
  config_.weight_column = "";
  config_.truncation = "error";
  config_.max_length = 4;
  EXPECT_EQ(
      error_of("a.csv", "text,label\nab,x\nabcd,y\n"),
      "79: a.csv:3: the text has 6 tokens, max_length is 4; raise it, or let data.truncation be \"right\" or \"left\"");
  EXPECT_FALSE(fs::exists(request_.output_directory) && !fs::is_empty(request_.output_directory))
      << "a failure left something";
}

TEST_F(PrepareTest, SkipsAndCountsBadRowsWhereToldTo) {
  config_.on_bad_row = "skip";
  request_.files = {write(
      "a.jsonl",
      "{\"text\":\"a\",\"label\":\"x\"}\n{bad}\n{\"text\":\"b\",\"label\":\"y\"}\n{\"text\":null,\"label\":\"z\"}\n")};
  const PrepareReport report = run();
  EXPECT_EQ(report.num_rows, 2);
  EXPECT_EQ(report.bad_rows, 2);
  EXPECT_EQ(report.label_names, (std::vector<std::string>{"x", "y"}));
  ASSERT_EQ(report.bad_row_examples.size(), 2u);
  EXPECT_TRUE(report.bad_row_examples[1].ends_with("a.jsonl:4: column 'text' wanted a string, found null"));
  EXPECT_EQ(describe(report, "train").substr(0, 67),
            "train: 2 rows, 6 tokens in 1 shard, 2 bad rows left out\n  left out:");
}

TEST_F(PrepareTest, RowsOfATsvThatSpanLinesAreToldOf) {
  request_.files = {write("a.tsv", "text\tlabel\n\"Great\tpos\nbad\tneg\nso\"\tpos\nfine\tneg\n")};
  for (const int ranks : {1, 2}) {
    fs::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    EXPECT_EQ(report.num_rows, 2);
    ASSERT_EQ(report.warnings.size(), 1u);
    EXPECT_NE(report.warnings[0].find("a.tsv:2. Where quotes are letters"), std::string::npos) << report.warnings[0];
  }
  config_.quoting = "none";
  const PrepareReport report = run();
  EXPECT_EQ(report.num_rows, 4);
  EXPECT_FALSE(report.reused);
  EXPECT_TRUE(report.warnings.empty());
}

TEST_F(PrepareTest, RowsOfNothingThatAModelCanReadAreToldOf) {
  request_.files = {write("a.jsonl", R"({"text": "", "label": "x"}
{"text": " \t", "label": "y"}
{"text": "漢字 漢字", "label": "x"}
{"text": "ab 漢", "label": "y"}
)")};
  const auto notes = run().notes;
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes.at("rows have no text").num_rows, 2);
  EXPECT_TRUE(notes.at("rows have no text").first.ends_with("a.jsonl:1"));
  const Note& unknown = notes.at("rows have mostly tokens that the tokenizer does not know");
  EXPECT_EQ(unknown.num_rows, 1);
  EXPECT_TRUE(unknown.first.ends_with("a.jsonl:3")) << unknown.first;
}

TEST_F(PrepareTest, NotesSayWhereALabelledRowIsAndHowItBegins) {
  const std::string begins = "a" + std::string(238, 'b');
  request_.files = {write("notes.jsonl", R"({"text": ")" + begins + R"(éé", "pair": "äx", "label": "x"}
{"text": "b", "pair": "", "label": "y"}
)")};
  config_.text_pair_column = "pair";
  request_.label_names = {"x", "y"};
  request_.problem_type = "single_label_classification";
  const PrepareReport plain = run();
  EXPECT_FALSE(has_row_notes(open_dataset(plain.shards)->schema()));
  request_.keep_notes = true;
  const PrepareReport noted = run();
  const auto dataset = open_dataset(noted.shards);
  ASSERT_TRUE(has_row_notes(dataset->schema()));
  Batch batch(dataset->schema());
  for (const int64_t i : {0, 1}) dataset->append(i, batch);
  nlohmann::ordered_json first, second;
  tell_row_notes(batch, 0, first);
  tell_row_notes(batch, 1, second);
  const std::string& file = request_.files.front();
  EXPECT_EQ(first, (nlohmann::ordered_json{{"text", begins + "…"}, {"characters", 243}, {"place", file + ":1"}}));
  EXPECT_EQ(second, (nlohmann::ordered_json{{"text", "b"}, {"characters", 1}, {"place", file + ":2"}}));
  EXPECT_EQ(dataset->info().fingerprint, open_dataset(plain.shards)->info().fingerprint);

  const std::string moved = directory_ / "moved.jsonl";  // the places name the file, so its shards are others
  fs::rename(file, moved);
  request_.files = {moved};
  EXPECT_FALSE(run().reused);
  request_.labels_required = false;
  EXPECT_FALSE(has_row_notes(open_dataset(run().shards)->schema())) << "what is to be predicted has no label to show";
}

TEST_F(PrepareTest, NeedsNoLabelsToPredict) {
  request_.files = {write("a.csv", "text\nab\ncd\n")};
  request_.labels_required = false;
  const PrepareReport report = run();
  EXPECT_EQ(texts(report), (std::vector<std::string>{"ab", "cd"}));
  EXPECT_TRUE(report.label_counts.empty());
}

}  // namespace
}  // namespace sft
