// Readers: the rows of a file do not depend on how it is cut into ranges, and what is wrong is named.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "base/text.h"
#include "data/readers/reader.h"

namespace sft {
namespace {

const std::string kCure = "; iconv -f LATIN1 -t UTF-8, or from what it is, converts it";

class ReadersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / concat("sft-readers-", info->name(), "-", ::getpid());
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

// "line|name=kind:text|…" of each row; "! message" of a bad one.
std::vector<std::string> rows_of(Reader& reader) {
  std::vector<std::string> out;
  Row row;
  while (true) {
    try {
      if (!reader.next(row)) return out;
      std::string text = std::to_string(row.line);
      for (const std::string& name : row.names()) {
        const Cell& cell = *row.find(name);
        text += concat("|", name, "=", static_cast<int>(cell.kind), ":", cell.text);
        for (const Cell& item : cell.items) text += "," + item.text;
      }
      out.push_back(text);
    } catch (const BadRow& error) {
      const std::string_view what = error.what();
      out.push_back(concat("! ", what.substr(what.find_last_of('/') + 1)));
    }
  }
}

std::vector<std::string> rows_of(const std::string& path) { return rows_of(*open_reader(path)); }

// Texts of one column.
std::vector<std::string> column(const std::string& path, const std::string& name) {
  std::vector<std::string> out;
  const auto reader = open_reader(path);
  for (Row row; reader->next(row);) out.push_back(row.find(name)->text);
  return out;
}

// The rows of each range in turn, each range opened at the place that surveys of those before it lead to.
std::vector<std::string> rows_of_ranges(const std::string& path, const std::vector<int64_t>& cuts,
                                        Quotes quotes = Quotes::enclose) {
  std::vector<std::string> out;
  Place place;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const auto part = rows_of(*open_reader(path, place, cuts[i + 1], quotes));
    out.insert(out.end(), part.begin(), part.end());
    place = behind(place, survey(path, cuts[i], cuts[i + 1], quotes));
  }
  return out;
}

void expect_cuts_do_not_matter(const std::string& path) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const auto whole = rows_of(path);
  for (const int64_t count : {1, 2, 3, 7}) {
    std::vector<int64_t> cuts;
    for (int64_t i = 0; i <= count; ++i) cuts.push_back(size * i / count);
    ASSERT_EQ(rows_of_ranges(path, cuts), whole) << count << " ranges of " << path;
  }
  if (size > 400) return;
  for (int64_t cut = 0; cut <= size; ++cut) {
    ASSERT_EQ(rows_of_ranges(path, {0, cut, size}), whole) << "cut at byte " << cut << " of " << path;
  }
}

TEST_F(ReadersTest, JsonlGivesTypedCellsAndTheirLines) {
  const auto path = write("a.jsonl",
                          "{\"t\":\"a\\u0000b \\ud83d\\ude00\",\"n\":1.0,\"x\":0.25,\"b\":true,\"z\":null}\r\n\n"
                          "{\"t\":[1,{\"t\":\"inner\"}],\"o\":{\"t\":2},\"n\":-3,\"n\":4}");
  const auto rows = rows_of(path);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], "1|t=3:a" + std::string(1, '\0') + "b \xF0\x9F\x98\x80|n=2:1|x=2:0.25|b=1:true|z=0:");
  EXPECT_EQ(rows[1], "3|t=6:array,1,object|o=5:object,2|n=2:4");
}

TEST_F(ReadersTest, JsonlGivesTheItemsOfLists) {
  const auto path = write("a.jsonl",
                          "{\"a\":[\"x\",2.0,null,true,[3,[4]],{\"k\":[5]},\"y\"],\"b\":{\"a\":[1]}}\n"
                          "{\"a\":[],\"b\":[\"z\"],\"b\":7}\n");
  const auto reader = open_reader(path);
  const auto items = [](const Row& row, const char* name) {
    std::string out;
    for (const Cell& item : row.find(name)->items) out += concat(static_cast<int>(item.kind), ":", item.text, " ");
    return out;
  };
  Row row;
  ASSERT_TRUE(reader->next(row));
  EXPECT_EQ(items(row, "a"), "3:x 2:2 0: 1:true 6:array 5:object 3:y ");
  EXPECT_EQ(items(row, "b"), "6:array ");
  ASSERT_TRUE(reader->next(row));
  EXPECT_EQ(row.find("a")->kind, Cell::Kind::list);
  EXPECT_EQ(items(row, "a"), "") << "the row is reused, the items are not";
  EXPECT_EQ(row.find("b")->kind, Cell::Kind::number);
  EXPECT_EQ(items(row, "b"), "");
}

TEST_F(ReadersTest, JsonlGivesTheMembersOfObjects) {
  const auto path =
      write("a.jsonl",
            "{\"answers\":{\"text\":[\"a\",\"b\"],\"start\":[3],\"start\":[4,5]},\"list\":[{\"k\":{\"l\":7}}]}\n"
            "{\"answers\":{},\"list\":" +
                std::string(100'000, '[') + "1" + std::string(100'000, ']') + "}\n");
  const auto reader = open_reader(path);
  Row row;
  ASSERT_TRUE(reader->next(row));
  const Cell& answers = *row.find("answers");
  ASSERT_EQ(answers.find("text")->items.size(), 2u);
  EXPECT_EQ(answers.find("text")->items[1].text, "b");
  EXPECT_EQ(answers.find("start")->items.size(), 2u) << "of equal names the last one counts";
  EXPECT_EQ(answers.find("Start"), nullptr);
  EXPECT_EQ(row.find("list")->items[0].find("k")->find("l")->text, "7");
  ASSERT_TRUE(reader->next(row)) << "no value is too deep";
  EXPECT_TRUE(row.find("answers")->names.empty()) << "the row is reused, the names are not";
  EXPECT_EQ(row.find("answers")->find("text"), nullptr);
}

TEST_F(ReadersTest, CsvFollowsRfc4180) {
  const auto path = write("a.csv",
                          "\xEF\xBB\xBF\"te,xt\",label\r\n"
                          "plain,1\r\n"
                          "\"a \"\"quoted\"\" one\r\nover two lines, really\",2\r\n"
                          "\r\n"
                          "5\" disk,\"\"\n"
                          ",last");
  const std::vector<std::string> want = {
      "2|te,xt=4:plain|label=4:1",
      "3|te,xt=4:a \"quoted\" one\r\nover two lines, really|label=4:2",
      "6|te,xt=4:5\" disk|label=4:",
      "7|te,xt=4:|label=4:last",
  };
  EXPECT_EQ(rows_of(path), want);
  EXPECT_EQ(columns_of(path), (std::vector<std::string>{"te,xt", "label"}));
}

TEST_F(ReadersTest, TsvIsCutAtTabs) {
  const auto path = write("a.tsv", "text\tlabel\na, b\t\"x\ty\"\n");
  EXPECT_EQ(rows_of(path), std::vector<std::string>{"2|text=4:a, b|label=4:x\ty"});
}

TEST_F(ReadersTest, QuotesMayBeLettersOfTheirCells) {
  const std::string content = "text\tlabel\n\"Great film\tpos\nbad one\tneg\nhe \"said\" so\"\tpos\n\"\"\t\"\n";
  const auto path = write("a.tsv", content);
  const std::vector<std::string> want = {"2|text=4:\"Great film|label=4:pos", "3|text=4:bad one|label=4:neg",
                                         "4|text=4:he \"said\" so\"|label=4:pos", "5|text=4:\"\"|label=4:\""};
  const auto size = static_cast<int64_t>(content.size());
  for (int64_t cut = 0; cut <= size; ++cut) EXPECT_EQ(rows_of_ranges(path, {0, cut, size}, Quotes::letters), want);
  EXPECT_EQ(columns_of(write("b.csv", "\"a,b\"\n"), Quotes::letters), (std::vector<std::string>{"\"a", "b\""}));
  const auto joined = open_reader(write("c.tsv", "text\n\"Great\nbad\nso\"\n"));
  Row row;
  ASSERT_TRUE(joined->next(row));
  EXPECT_EQ(row.num_lines, 3) << "where quotes enclose";
}

// "tokens/tags" of each row, "! message" of a bad one.
std::vector<std::string> sentences_of(const std::string& path) {
  std::vector<std::string> out;
  const auto reader = open_reader(path);
  const auto items = [](const Cell* list) {
    std::vector<std::string> texts;
    if (list == nullptr) return std::string("none");
    for (const Cell& item : list->items) texts.push_back(item.text);
    return join(texts, "|");
  };
  for (Row row;;) {
    try {
      if (!reader->next(row)) return out;
      out.push_back(concat(row.line, " ", items(row.find("tokens")), " / ", items(row.find("ner_tags"))));
    } catch (const BadRow& error) {
      const std::string_view what = error.what();
      out.push_back(concat("! ", what.substr(what.find_last_of('/') + 1)));
    }
  }
}

TEST_F(ReadersTest, ConllGivesASentenceARow) {
  const auto path = write("a.conll",
                          "\xEF\xBB\xBF-DOCSTART- -X- -X- O\n\n"
                          "EU NNP B-NP B-ORG\r\nrejects  VBZ B-VP  O \r\n\r\n \t\n\n"
                          "New York\tB-LOC\n# O\n\n"
                          "only\nwords\n\n-DOCSTART-\nlast O");
  const std::vector<std::string> want = {"3 EU|rejects / B-ORG|O", "8 New York|# / B-LOC|O", "11 only|words / none",
                                         "14 last / O"};
  EXPECT_EQ(sentences_of(path), want);
  EXPECT_EQ(columns_of(path), (std::vector<std::string>{"ner_tags", "tokens"}));
}

TEST_F(ReadersTest, ConllPassesOverCommentsInFrontOfASentence) {
  const auto path =
      write("a.conll",
            "# sent_id = 7\n# text = The dog\nThe\tO\n# O\n\n# id ab-1\tdomain=en\nx _ _ B-X\n\n# O\nid O\n\n# only\n\n"
            "# newdoc\n\nlast O\n");
  const std::vector<std::string> want = {"1 The|# / O|O", "6 x / B-X", "9 #|id / O|O", "12 # / only", "16 last / O"};
  EXPECT_EQ(sentences_of(path), want);
  expect_cuts_do_not_matter(path);
  EXPECT_EQ(
      sentences_of(write("u.conll", "1\tThe\tthe\tDET\n2\tdog\tdog\tNOUN\n\n1 O\n2 O\n")),
      (std::vector<std::string>{"! u.conll:1: the words of this sentence are 1, 2, 3, …, as in CoNLL-U, where they "
                                "stand in the second column; wanted: the word in the first, its tag in the last",
                                "4 1|2 / O|O"}));
}

TEST_F(ReadersTest, ConllNamesTheLineOfAMissingTagAndGoesOnBehindTheSentence) {
  const auto path = write("a.bio", "a O\nb\nc O\n\nd O\n\ne\t\nf O\n\ng\nh O\n\nw\xFF O\n\n\tO\n\ni O\n");
  const std::vector<std::string> want = {"! a.bio:2: the word 'b' has no tag; its sentence has others that do",
                                         "5 d / O",
                                         "! a.bio:7: the word 'e' has no tag; its sentence has others that do",
                                         "! a.bio:10: the word 'g' has no tag; its sentence has others that do",
                                         "! a.bio:13: not valid UTF-8" + kCure,
                                         "! a.bio:15: the first column, the word, is empty",
                                         "17 i / O"};
  EXPECT_EQ(sentences_of(path), want);
}

TEST_F(ReadersTest, RowsDoNotDependOnTheCuts) {
  expect_cuts_do_not_matter(write("crlf.jsonl", "{\"a\":1}\r\n{\"a\":2}\r\n\r\n{\"a\":\"\\n\"}\r\n"));
  expect_cuts_do_not_matter(write("mark.jsonl", "\xEF\xBB\xBF{\"a\":1}\n{bad}\n{\"a\":2}"));
  expect_cuts_do_not_matter(write(
      "quotes.csv", "\xEF\xBB\xBF\"a\nb\",c\n\"x\n\n\"\"y,\",1\r\n3\" disk,\"\"\n\n,\n\"\"\"\",\"q\"r\nz,\"\n\""));
  expect_cuts_do_not_matter(write("tabs.tsv", "a\tb\n\"1\t\n2\"\t3\nshort\n\n4\t5"));
  expect_cuts_do_not_matter(write("header_only.csv", "a,b\n"));
  expect_cuts_do_not_matter(write(
      "a.conll", "\xEF\xBB\xBF-DOCSTART- O\n\na b O\n  c O\n\n \t\r\n\n  d O\r\n\r\ne\nf O\n \ng O\nh O\n\n\n\ni O"));
  expect_cuts_do_not_matter(write("blank.txt", "\n \n\t\n"));
  expect_cuts_do_not_matter(write("empty.csv", ""));
  expect_cuts_do_not_matter(write("empty.jsonl", ""));
}

// Random records over the characters that matter, long enough to cross the readers' blocks.
TEST_F(ReadersTest, RandomCsvIsReadTheSameFromAnyCut) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"\"\"", ",", "\n", "\r\n", "a", "é", "\t", " "};
  for (int round = 0; round < 30; ++round) {
    const int num_rows = round == 0 ? 40000 : 200;
    std::string content = "x,y\n";
    std::vector<std::string> want;
    for (int i = 0; i < num_rows; ++i) {
      std::string quoted, text;
      for (unsigned j = random() % 12; j > 0; --j) {
        const std::string_view piece = pieces[random() % std::size(pieces)];
        quoted += piece;
        text += piece == "\"\"" ? "\"" : piece;
      }
      content += concat("\"", quoted, "\",", i, random() % 2 ? "\n" : "\r\n");
      want.push_back(text);
    }
    const auto path = write("random.csv", content);
    ASSERT_EQ(column(path, "x"), want);
    ASSERT_NO_FATAL_FAILURE(expect_cuts_do_not_matter(path));
  }
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const BadRow& error) {
    return concat("bad row: ", error.what());
  } catch (const Error& error) {
    return concat(static_cast<int>(error.code()), ": ", error.what());
  }
  return "nothing was thrown";
}

TEST_F(ReadersTest, Utf16IsNamedWithItsCure) {
  const std::string wide("\xFF\xFEt\0e\0\n\0", 8);
  try {
    rows_of(write("wide.csv", wide));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what())
                  .find(":1: the header is not valid UTF-8; it begins as UTF-16 does: iconv -f UTF-16 "
                        "-t UTF-8 converts it"),
              std::string::npos);
  }
}

TEST_F(ReadersTest, WhatIsNearlyJsonIsToldWithItsCure) {
  const auto told = [&](const std::string& text, const std::string& cure) {
    const std::vector<std::string> rows = rows_of(write("a.jsonl", text));
    ASSERT_FALSE(rows.empty());
    EXPECT_NE(rows[0].find(cure), std::string::npos) << rows[0];
  };
  told("{\"a\": NaN}\n", "; NaN, which Python writes, is no JSON: write null");
  told("{\"a\": -Infinity}\n", "; Infinity, which Python writes, is no JSON");
  told("{\"a\": 1}\r{\"a\": 2}\r", "; the lines seem to end in carriage returns alone, and line feeds are read");
  told(std::string("\0{\0\"", 4), "; it holds zero bytes, as UTF-16 does: iconv -f UTF-16LE -t UTF-8");
  for (const char* other : {"{\"a\": \"NaN\", 1}\r\n", "{\"a\": 1} x\r\n"}) {
    const std::string row = rows_of(write("a.jsonl", other))[0];
    for (const char* cure : {"is no JSON", "carriage returns", "zero bytes"})
      EXPECT_EQ(row.find(cure), std::string::npos) << row;
  }
  EXPECT_NE(message_of([&] { rows_of(write("a.csv", std::string("\0a\0,\0b\0\n", 8))); }).find("holds zero bytes"),
            std::string::npos);
  EXPECT_NE(message_of([&] { rows_of(write("a.csv", "a,b,,\n1,2,,\n")); }).find("make columns without a name"),
            std::string::npos);
}

TEST_F(ReadersTest, BadRowsAreNamedAndPassedOver) {
  EXPECT_EQ(
      rows_of(write("a.jsonl",
                    "{\"a\":1}\n{\"a\":\n[1]\n7\n{\"a\":\"\xFF\"}\n{\"a\":2} x\n{\"a\":\"\\ud800\"}\n{\"a\":3}\n")),
      (std::vector<std::string>{
          "1|a=2:1",
          "! a.jsonl:2: not valid JSON at column 7: unexpected end of input; expected '[', '{', or a literal",
          "! a.jsonl:3: wanted a JSON object, found an array; write one object a line, as jq -c '.[]' does, or name the file .json",
          "! a.jsonl:4: wanted a JSON object, found a number", "! a.jsonl:5: not valid UTF-8" + kCure,
          "! a.jsonl:6: not valid JSON at column 9: invalid literal",
          "! a.jsonl:7: not valid JSON at column 13: invalid string: surrogate U+D800..U+DBFF must be followed by "
          "U+DC00..U+DFFF",
          "8|a=2:3"}));
  EXPECT_EQ(
      rows_of(write("a.csv", "a,b\n1\n\"x\"y,2\n\xFF,1\n1,2,3\n3,4\n")),
      (std::vector<std::string>{
          "! a.csv:2: the row has 1 cells, the header has 2",
          "! a.csv:3: text follows a closing quote; inside a quoted cell a quote is written twice (where quotes are "
          "letters: data.quoting = 'none')",
          "! a.csv:4: not valid UTF-8" + kCure, "! a.csv:5: the row has 3 cells, the header has 2", "6|a=4:3|b=4:4"}));
}

TEST_F(ReadersTest, WhatNothingCanFollowEndsTheReading) {
  const auto open_quote = write("open.csv", "a,b\n1,2\n\"3,4\n5,6\n");
  EXPECT_EQ(
      message_of([&] { rows_of(open_quote); }),
      concat("79: ", open_quote,
             ":3: the row that starts here does not end before the end of the file: is a quote "
             "left open? Inside a quoted cell a quote is written twice; where quotes are letters, as in GLUE's files, "
             "set data.quoting = 'none'"));
  const auto twice = write("twice.csv", "a,b,a\n1,2,3\n");
  EXPECT_EQ(message_of([&] { rows_of(twice); }),
            concat("79: ", twice, ":1: the header names the column 'a' twice; give each a name of its own"));
  const std::string missing = directory_ / "missing.csv";
  EXPECT_EQ(message_of([&] { rows_of(missing); }),
            concat("78: cannot read ", in_quotes(missing, 400), ": No such file or directory"));
  EXPECT_EQ(message_of([&] { rows_of("a.parquet.gz"); }),
            "78: a.parquet.gz: a parquet file is compressed inside, column by column, and not as a whole; unpack it first");
  EXPECT_EQ(message_of([&] { rows_of("a.xlsx"); }),
            "78: a.xlsx: wanted a file named .jsonl, .json (one object a line, an array of objects, or SQuAD's "
            "questions), .csv, .tsv or, of tagged words, .conll, .bio, .iob or .txt, each also with .gz or .zst behind it; "
            "or .parquet, .arrow or .feather");
}

TEST_F(ReadersTest, ARowOfTenMegabytesIsRead) {
  const std::string big(10 << 20, 'x');
  for (const auto& path : {write("a.jsonl", concat("{\"a\":\"", big, "\"}\n{\"a\":\"y\"}\n")),
                           write("a.csv", concat("a\n\"", big, "\"\ny\n"))}) {
    const auto texts = column(path, "a");
    ASSERT_EQ(texts.size(), 2u);
    EXPECT_TRUE(texts[0] == big);
    EXPECT_EQ(texts[1], "y");
    expect_cuts_do_not_matter(path);
  }
}

// Peak of the memory in use since the last restart_peak().
int64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return 1024 * kilobytes;
  }
  throw std::runtime_error("/proc/self/status has no VmHWM");
}

void restart_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

TEST_F(ReadersTest, MemoryDoesNotGrowWithTheFile) {
  for (const std::string name : {"a.jsonl", "a.csv"}) {
    const std::string path = directory_ / name;
    {
      std::ofstream out(path);
      if (name == "a.csv") out << "text,label\n";
      const std::string text(1000, 'x');
      for (int i = 0; i < 64 << 10; ++i) {
        if (name == "a.csv")
          out << "\"" << text << "\"," << i << "\n";
        else
          out << "{\"text\":\"" << text << "\",\"label\":" << i << "}\n";
      }
    }
    restart_peak();
    const int64_t before = peak_rss_bytes();
    int64_t num_rows = 0;
    const auto reader = open_reader(path);
    for (Row row; reader->next(row);) ++num_rows;
    survey(path, 0, static_cast<int64_t>(std::filesystem::file_size(path)));
    EXPECT_EQ(num_rows, 64 << 10);
    EXPECT_LT(peak_rss_bytes() - before, 4 << 20) << path;
  }
}

}  // namespace
}  // namespace sft
