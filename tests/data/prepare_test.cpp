// prepare: what comes out is a function of content and settings, on any number of ranks, and what is
// wrong with raw files is told with file and line.
#include "data/prepare/prepare.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "data/prepare/split.h"
#include "data/samples/dataset.h"
#include "support/ranks.h"
#include "support/texts.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/text_classification/recipe.h"
#include "trainer/tasks/token_classification/recipe.h"

namespace sft {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Side = PrepareRequest::Side;

class PrepareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::temp_directory_path() / concat("sft-prepare-", info->name(), "-", ::getpid());
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) vocabulary += concat(c, "\n##", c, "\n");
    for (char c = '0'; c <= '9'; ++c) vocabulary += concat(c, "\n##", c, "\n");
    fs::create_directories(directory_);
    write("vocab.txt", vocabulary);
    tokenizer_ = Tokenizer::from_directory(directory_);
    request_.output_directory = directory_ / "prepared";
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string write(const std::string& name, std::string_view content) {
    const std::string path = directory_ / name;
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    return path;
  }

  PrepareReport run_on(const Peers& peers) {
    const auto recipe =
        request_.task == "token_classification" ? token_classification_recipe : text_classification_recipe;
    return prepare_shards(request_, config_, *recipe(request_, config_, tokenizer_.get()), peers);
  }

  PrepareReport run(int ranks = 1) {
    tokenizer_->set_truncation(config_.max_length, config_.truncation);
    if (ranks == 1) return run_on(alone());
    std::vector<PrepareReport> reports(static_cast<size_t>(ranks));
    on_ranks(ranks, [&](const Peers& peers) { reports[static_cast<size_t>(peers.self.index)] = run_on(peers); });
    for (const PrepareReport& report : reports) EXPECT_EQ(report.shards, reports[0].shards);
    return reports[0];
  }

  // Of one file: what prepare says of it, paths without the directory.
  std::string error_of(const std::string& name, std::string_view content, int ranks = 1) {
    request_.files = {write(name, content)};
    return error(ranks);
  }

  std::string error(int ranks = 1) {
    try {
      run(ranks);
    } catch (const Error& error) {
      std::string message = concat(static_cast<int>(error.code()), ": ", error.what());
      const std::string prefix = directory_.string() + "/";
      for (size_t at; (at = message.find(prefix)) != message.npos;) message.erase(at, prefix.size());
      return message;
    }
    return "nothing was thrown";
  }

  std::vector<Text> examples(const PrepareReport& report) {
    const auto dataset = open_dataset(report.shards);
    std::vector<Text> out(static_cast<size_t>(dataset->size()));
    for (int64_t i = 0; i < dataset->size(); ++i) out[static_cast<size_t>(i)] = text_of(*dataset, i);
    return out;
  }

  // The texts again, without spaces between words: each token is a letter or a digit.
  std::vector<std::string> texts(const PrepareReport& report) {
    std::vector<std::string> out;
    const json vocabulary = json::parse(tokenizer_->to_json())["model"]["vocab"];
    std::map<int32_t, std::string> pieces;
    for (const auto& [token, id] : vocabulary.items()) pieces[id] = token.size() > 1 ? token.substr(2) : token;
    for (const Text& example : examples(report)) {
      std::string text;
      for (const int32_t id : example.tokens) text += id > 4 ? pieces[id] : "";
      out.push_back(text);
    }
    return out;
  }

  std::vector<int64_t> labels(const PrepareReport& report) {
    std::vector<int64_t> out;
    for (const Text& example : examples(report)) out.push_back(example.label);
    return out;
  }

  fs::path directory_;
  std::unique_ptr<Tokenizer> tokenizer_;
  PrepareRequest request_;
  DataConfig config_;
};

// Rows with a line break in a quoted text, and a word long enough to be unknown, which is quick to tokenize.
std::string random_rows(bool csv, int count, unsigned seed) {
  std::mt19937 random(seed);
  std::string out = csv ? "label,text\r\n" : "";
  for (int i = 0; i < count; ++i) {
    const std::string text = concat("row ", i, csv ? "\n\"\"" : "\\n\\\"", std::string(300 + random() % 300, 'x'));
    const unsigned label = random() % 4;
    out += csv ? concat("c", label, ",\"", text, "\"\r\n")
               : concat("{\"text\":\"", text, "\",\"label\":\"c", label, "\"}\n");
  }
  return out;
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

// Three pieces, cut in the middle of quoted line breaks and of files.
TEST_F(PrepareTest, ShardsAreTheSameOnAnyNumberOfRanks) {
  constexpr int kRows = 10000;
  request_.files = {write("a.csv", random_rows(true, kRows, 1)), write("empty.jsonl", ""),
                    write("b.jsonl", random_rows(false, kRows, 2))};
  std::vector<std::string> wanted;
  for (const int ranks : {1, 2, 5}) {
    fs::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    EXPECT_EQ(report.num_rows, 2 * kRows);
    EXPECT_EQ(report.label_names, (std::vector<std::string>{"c0", "c1", "c2", "c3"}));
    std::vector<std::string> content;
    for (const std::string& shard : report.shards) content.push_back(open_dataset({shard})->info().fingerprint);
    EXPECT_EQ(content.size(), 3u);
    if (wanted.empty()) wanted = content;
    EXPECT_EQ(content, wanted) << ranks << " ranks";
  }
  const auto all = texts(run());
  for (size_t i = 0; i < all.size(); ++i)
    ASSERT_TRUE(all[i].starts_with(concat("row", i % kRows))) << i << " " << all[i];
}

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
}

TEST_F(PrepareTest, NamesALabelThatTrainLacks) {
  request_.label_names = {"games", "libs", "net"};
  request_.labels_must_be_known = true;
  config_.on_bad_row = "skip";  // which does not cover it: the split would be scored without these rows
  EXPECT_EQ(error_of("v.csv", "text,label\na,net\nb,lib\n"),
            "79: v.csv:3: label 'lib' is none of the 3 known labels: 'games', 'libs', 'net' (did you mean 'libs'?)");
  EXPECT_EQ(error_of("v.csv", "text,label\na,net\nb,3\n"),
            "79: v.csv:3: label '3' is none of the 3 known labels: 'games', 'libs', 'net'");
  request_.label_names = {"3", "7"};
  EXPECT_EQ(error_of("v.csv", "text,label\na,3\nb,1\n").substr(0, 22), "79: v.csv:3: label '1'");
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
            "79: a.jsonl:2: not valid UTF-8");
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

TEST_F(PrepareTest, TheFirstBadRowIsToldOnAnyNumberOfRanks) {
  std::string content = random_rows(false, 20000, 3);
  for (const size_t place : {content.size() / 2, 2 * content.size() / 3, content.size() - 1000}) {
    content.insert(content.find('\n', place) + 1, "{bad\n");
  }
  const std::string wanted = error_of("a.jsonl", content);
  EXPECT_EQ(wanted.substr(0, 12), "79: a.jsonl:");
  for (const int ranks : {2, 3, 5}) EXPECT_EQ(error(ranks), wanted);
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

TEST_F(PrepareTest, IsReusedUntilContentOrASettingChanges) {
  request_.files = {write("a.csv", "text,label\nab,x\ncd,y\n")};
  const PrepareReport first = run();
  EXPECT_FALSE(first.reused);
  const PrepareReport again = run(3);
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(again.shards, first.shards);
  EXPECT_EQ(again.label_counts, first.label_counts);

  std::set<std::vector<std::string>> folders = {first.shards};
  const auto expect_new = [&](std::string_view what) {
    const PrepareReport report = run();
    EXPECT_FALSE(report.reused) << what;
    EXPECT_TRUE(folders.insert(report.shards).second) << what;
  };
  config_.max_length = 64;
  expect_new("max_length");
  config_.truncation = "left";
  expect_new("truncation");
  config_.text_pair_column = "label";
  expect_new("text_pair_column");
  request_.label_names = {"y", "x"};
  expect_new("label_names");
  write("a.csv", "text,label\nab,x\ncd,y\ne,y\n");
  expect_new("content");
  const json config = {{"do_lower_case", false}};
  write("tokenizer_config.json", config.dump());
  tokenizer_ = Tokenizer::from_directory(directory_);
  expect_new("tokenizer");
}

TEST_F(PrepareTest, RemovesWhatDeadPreparationsLeft) {
  request_.files = {write("a.csv", "text,label\nab,x\ncd,y\n")};
  const fs::path folder = fs::path(run().shards[0]).parent_path();
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  const fs::path dead = concat(folder.string(), ".partial-", host, "-4194999");  // above the highest pid
  const fs::path other = concat(folder.string(), ".partial-elsewhere-1");
  fs::create_directories(dead);
  fs::create_directories(other);
  fs::remove_all(folder);
  EXPECT_FALSE(run().reused);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(other));

  fs::remove(folder / "00000.h5");
  EXPECT_NE(error().find("prepared data is damaged"), std::string::npos);
}

// 40 groups of equal texts in each of three labels, one of them rare.
TEST_F(PrepareTest, SplitsByContentWithinEachLabel) {
  std::vector<std::string> rows;
  for (int i = 0; i < 400; ++i)
    rows.push_back(concat("text ", i % 200, ",", i % 200 < 20 ? "rare" : i % 2 ? "odd" : "even", ",g", i % 50));
  const auto file = [&](std::mt19937 random) {
    std::shuffle(rows.begin(), rows.end(), random);
    return write("a.csv", "text,label,group\n" + join(rows, "\n"));
  };
  config_.validation_split = 0.1;
  const auto part = [&](Side which, int ranks) {
    request_.side = which;
    fs::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    const auto all = texts(report);
    if (which == Side::validation && config_.group_column.empty()) {
      EXPECT_EQ(report.label_counts,
                (std::vector<int64_t>{18, 18, 4}));  // a tenth of 90, 90 and 20 texts, two rows each
    }
    return std::multiset<std::string>(all.begin(), all.end());
  };
  request_.files = {file(std::mt19937(1))};
  const auto train = part(Side::train, 1), validation = part(Side::validation, 3);
  EXPECT_EQ(train.size() + validation.size(), 400u);
  for (const std::string& text : validation) EXPECT_EQ(train.count(text), 0u);

  request_.files = {file(std::mt19937(2))};
  EXPECT_TRUE(part(Side::validation, 2) == validation) << "the order of rows matters";
  request_.split_seed = 1;
  EXPECT_FALSE(part(Side::validation, 1) == validation) << "the seed does not matter";

  config_.group_column = "group";
  std::set<int> groups;
  const auto held_out = part(Side::validation, 1);
  for (const std::string& text : held_out) groups.insert(std::stoi(text.substr(4)) % 50);
  EXPECT_EQ(held_out.size(), 8 * groups.size()) << "a group is on both sides";
  EXPECT_EQ(groups.size(), 6u);  // round(2.5) of the 25 groups of even texts and of the 25 of odd ones

  config_.validation_split = 0.001;
  EXPECT_EQ(error(), "79: a.csv: data.validation_split = 0.001 leaves no row for validation");
}

TEST(Split, FrequentLabelsGiveTheirShareWithinChance) {
  SplitCensus census;
  std::mt19937_64 random(5);
  std::vector<uint64_t> keys(20000);
  for (uint64_t& key : keys) census.add("frequent", key = random());
  const Split split(census, 0.2);
  int64_t held_out = 0;
  for (const uint64_t key : keys) held_out += split.is_validation(key);
  EXPECT_NEAR(static_cast<double>(held_out), 4000, 4 * 57);  // four standard deviations
}

TEST(Split, MergedCensusesAreOneCensus) {
  std::mt19937_64 random(6);
  SplitCensus whole, left, right;
  for (int i = 0; i < 6000; ++i) {
    const uint64_t key = random();
    const std::string label = i % 3 == 0 ? "frequent" : concat("label", i % 200);
    whole.add(label, key);
    (i % 2 ? left : right).add(label, key);
  }
  left.merge(right.keys());
  const Split one(whole, 0.3), merged(left, 0.3);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t key = random();
    EXPECT_EQ(one.is_validation(key), merged.is_validation(key));
  }
  for (const auto& [label, keys] : whole.keys()) {
    for (const uint64_t key : keys) EXPECT_EQ(one.is_validation(key), merged.is_validation(key)) << label;
  }
}

std::string json_rows(const std::vector<std::string>& labels) {
  std::string out;
  for (const std::string& label : labels) out += concat("{\"text\":\"a\",\"label\":", label, "}\n");
  return out;
}

TEST_F(PrepareTest, FindsTheFormOfTargets) {
  const std::tuple<std::vector<std::string>, const char*, int64_t> cases[] = {
      {{"1", "2"}, "single_label_classification", 0},
      {{"\"1.5\"", "\"x\""}, "single_label_classification", 0},
      {{"1", "2.5", "3"}, "regression", 1},
      {{"[]", "[1,2]", "[0]"}, "multi_label_classification", 0},
      {{"[\"b\",\"a\"]", "[\"a\"]"}, "multi_label_classification", 0},
      {{"[1,2]", "[0,0.25]"}, "regression", 2},
  };
  for (const auto& [labels, type, width] : cases) {
    SCOPED_TRACE(labels.back());
    request_.files = {write("empty.jsonl", ""), write("a.jsonl", json_rows(labels))};
    for (const int ranks : {1, 3}) {
      fs::remove_all(request_.output_directory);
      const PrepareReport report = run(ranks);
      EXPECT_EQ(report.problem_type, type);
      EXPECT_EQ(report.num_targets, width);
    }
    const PrepareReport again = run();
    EXPECT_TRUE(again.reused);
    EXPECT_EQ(again.problem_type, type);
    EXPECT_EQ(again.num_targets, width);
  }
  request_.files = {write("a.csv", "text,label\na,1\nb,0.5\n")};
  EXPECT_EQ(run().problem_type, "regression");
  request_.problem_type = "single_label_classification";
  EXPECT_EQ(run().label_names, (std::vector<std::string>{"0.5", "1"}));
}

TEST_F(PrepareTest, KeepsSetsOfLabels) {
  request_.files = {write("a.jsonl", json_rows({"[\"net\",\"game\"]", "[]", "[\"Z\",\"net\"]"}))};
  const PrepareReport report = run();
  EXPECT_EQ(report.label_names, (std::vector<std::string>{"Z", "game", "net"}));
  EXPECT_EQ(report.label_counts, (std::vector<int64_t>{1, 1, 2}));
  const std::vector<std::vector<float>> wanted = {{0, 1, 1}, {0, 0, 0}, {1, 0, 1}};
  const auto got = examples(report);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(got[i].values, wanted[i]);

  request_.problem_type = "multi_label_classification";
  request_.files = {write("a.csv", "text,label\na,net| game\nb,\nc,Z |net\n")};
  const auto same = examples(run());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(same[i].values, wanted[i]);
  config_.label_separator = ", ";
  request_.files = {write("b.tsv", "text\tlabel\na\tnet, game\nb\t\nc\tZ, net\n")};
  const auto others = examples(run());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(others[i].values, wanted[i]);

  request_.labels_must_be_known = true;
  request_.label_names = {"Z", "game", "net"};
  EXPECT_EQ(error_of("v.jsonl", json_rows({"[\"net\"]", "[\"game\",\"nets\"]"})),
            "79: v.jsonl:2: label 'nets' is none of the 3 known labels: 'Z', 'game', 'net' (did you mean 'net'?)");
  request_.files = {write("few.jsonl", json_rows({"[\"net\"]"}))};
  EXPECT_EQ(examples(run())[0].values, (std::vector<float>{0, 0, 1})) << "as wide as train";
}

TEST_F(PrepareTest, ListsOfZerosAndOnesAreFlags) {
  const std::vector<std::vector<float>> wanted = {{1, 0, 1}, {0, 0, 0}, {0, 1, 1}};
  const auto expect_flags = [&] {
    const PrepareReport report = run(2);
    const auto got = examples(report);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(got[i].values, wanted[i]);
    EXPECT_EQ(report.label_counts, (std::vector<int64_t>{1, 1, 2}));
    EXPECT_EQ(report.problem_type, "multi_label_classification");
    EXPECT_NE(describe(report, "train").find("told by 3 flags a row"), std::string::npos);
    return report.label_names;
  };
  const std::vector<std::string> numbered = {"LABEL_0", "LABEL_1", "LABEL_2"};
  for (const auto& labels : {std::vector<std::string>{"[1,0,1]", "[0,0,0]", "[0,1,1]"},
                             {"[1.0,0.0,1.0]", "[0.0,0.0,0.0]", "[0.0,1.0,1.0]"},
                             {"[true,false,true]", "[false,false,false]", "[false,true,true]"}}) {
    request_.files = {write("a.jsonl", json_rows(labels))};
    EXPECT_EQ(expect_flags(), numbered);
  }
  request_.problem_type = "multi_label_classification";
  request_.files = {write("a.csv", "text,label\na,1|0|1\nb,0|0|0\nc,0|1|1\n")};
  EXPECT_EQ(expect_flags(), numbered);
  request_.label_names = {"red", "green", "blue"};
  request_.labels_must_be_known = true;
  EXPECT_EQ(expect_flags(), request_.label_names);
  EXPECT_EQ(error_of("four.jsonl", json_rows({"[1,0,0,1]", "[0,0,0,1]"})).substr(0, 72),
            "79: four.jsonl:1: column 'label' names the label '0' twice; 0 and 1 are ");
}

TEST_F(PrepareTest, TwoFlagsAreTakenForSetsWhereOneRowIsNoFlags) {
  request_.files = {write("a.jsonl", json_rows({"[1,0]", "[0,1]"}))};
  const auto flags = examples(run());
  EXPECT_EQ(flags[0].values, (std::vector<float>{1, 0}));
  EXPECT_EQ(flags[1].values, (std::vector<float>{0, 1}));
  for (const std::string other : {"[1]", "[]", "[0,2]"}) {
    request_.files = {write("a.jsonl", json_rows({"[1,0]", "[0,1]", other}))};
    const PrepareReport report = run();
    EXPECT_EQ(report.label_names[0], "0") << other;
    EXPECT_EQ(examples(report)[0].values[1], 1) << other;
  }
}

TEST_F(PrepareTest, ListsWrittenAsTextAreNoLabels) {
  request_.problem_type = "multi_label_classification";
  EXPECT_EQ(error_of("a.csv", "text,label\na,\"[1, 0]\"\n"),
            "79: a.csv:2: column 'label' is a list written as text, '[1, 0]'; wanted labels with '|' between them, or, "
            "in .jsonl, a list");
  request_.problem_type = "";
  request_.files = {write("a.csv", "text,label\na,\"[1, 0]\"\nb,\"[0, 1]\"\n")};
  const PrepareReport report = run();
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_EQ(report.warnings[0].substr(0, 42), "the label '[0, 1]' looks like a list, and ");
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
  request_.task = "token_classification";
  config_.text_column = {"tokens"};
  config_.label_column = "ner_tags";
  const auto tagged = [](const std::string& tag) {
    return R"({"tokens":["a","b"],"ner_tags":["O",")" + tag + R"("]})" + "\n" +
           R"({"tokens":["a"],"ner_tags":["B-X"]})" + "\n";
  };
  EXPECT_EQ(doubts_of(tagged("U-X")).substr(0, 29), "the tag 'U-X' is of BILOU, wh");
  EXPECT_EQ(doubts_of(tagged("I-X")), "");
  EXPECT_EQ(doubts_of("{\"tokens\":[\"a\",\"b\"],\"ner_tags\":[\"O\",\"B_X\"]}\n").substr(0, 28),
            "the tag 'B_X' has a low line");
  EXPECT_EQ(doubts_of("{\"tokens\":[\"a\",\"b\"],\"ner_tags\":[\"O\",\"X-B\"]}\n").substr(0, 27),
            "the tag 'X-B' ends in its m");
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

TEST_F(PrepareTest, KeepsRealTargets) {
  request_.files = {write("a.jsonl", json_rows({"[1,-2.5]", "[0.25,1e3]"}))};
  const PrepareReport report = run();
  EXPECT_EQ(report.num_targets, 2);
  EXPECT_TRUE(report.label_names.empty());
  const auto got = examples(report);
  EXPECT_EQ(got[0].values, (std::vector<float>{1, -2.5f}));
  EXPECT_EQ(got[1].values, (std::vector<float>{0.25f, 1000}));

  request_.problem_type = "regression";
  request_.files = {write("stars.jsonl", json_rows({"5", "1"}))};
  EXPECT_EQ(examples(run())[0].values, std::vector<float>{5});
  request_.files = {write("two.csv", "text,label\na,1|2\nb, 0.5 |-1\n")};
  EXPECT_EQ(examples(run())[1].values, (std::vector<float>{0.5f, -1}));
}

TEST_F(PrepareTest, SaysWhichTargetIsWrongAndWhere) {
  const auto bad = [&](const std::string& type, const std::string& label) {
    request_.problem_type = type;
    return error_of("a.jsonl", json_rows({type == "regression" ? "0.5" : "[\"a\",\"b\"]", label}));
  };
  const std::string place = "79: a.jsonl:2: column 'label' ";
  EXPECT_EQ(bad("multi_label_classification", "[\"b\",\"a\",\"b\"]"), place + "names the label 'b' twice");
  EXPECT_EQ(bad("multi_label_classification", "[\"\"]"), place + "has an item that is empty");
  EXPECT_EQ(bad("multi_label_classification", "[null]"),
            place + "has an item that wanted a string, number or boolean, found null");
  EXPECT_EQ(bad("multi_label_classification", "7"), place + "wanted a list of labels, found the number 7");
  EXPECT_EQ(bad("multi_label_classification", "null"), place + "wanted a list of labels, found null");
  EXPECT_EQ(bad("regression", "\"1.5\""), place + "wanted a finite number, found '1.5'");
  EXPECT_EQ(bad("regression", "null"), place + "wanted a finite number, found null");
  EXPECT_EQ(bad("regression", "1e99"), place + "wanted a finite number, found the number 1e+99");
  EXPECT_EQ(bad("regression", "[1,2]"), place + "has 2 numbers, and 1 is wanted");
  EXPECT_EQ(bad("regression", "[]"), place + "has 0 numbers, and 1 is wanted");
  EXPECT_EQ(bad("regression", "NaN").substr(0, 28), "79: a.jsonl:2: not valid JSO");
  request_.problem_type = "";
  for (const std::string_view number : {"nan", "-inf", "", "x"})
    EXPECT_EQ(error_of("a.csv", concat("text,label\na,0.5\nb,", number, "\n")),
              concat("79: a.csv:3: column 'label' wanted a finite number, found '", number, "'"));
  config_.on_bad_row = "skip";
  EXPECT_EQ(run().bad_rows, 1);
  EXPECT_EQ(error_of("a.jsonl", json_rows({"[]", "[]"})),
            "79: train: no row has a label (data.label_column = 'label')");
}

TEST_F(PrepareTest, SplitsSetsAndNumbersByContent) {
  std::vector<std::string> rows;
  for (int i = 0; i < 200; ++i) rows.push_back(concat("{\"text\":\"text ", i, "\",\"label\":[\"x\",\"l", i, "\"]}"));
  request_.files = {write("a.jsonl", join(rows, "\n"))};
  config_.validation_split = 0.1;
  request_.side = Side::train;
  const PrepareReport train = run();
  EXPECT_EQ(train.num_rows, 180);
  EXPECT_EQ(train.label_names.size(), 201u) << "names are those of the whole file";
  request_.side = Side::validation;
  request_.problem_type = train.problem_type;
  request_.label_names = train.label_names;
  request_.labels_must_be_known = true;
  EXPECT_EQ(run(3).num_rows, 20);
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
