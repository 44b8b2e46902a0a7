// prepare: what comes out is a function of content and settings, on any number of ranks, and is made once.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "prepare_fixture.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

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

TEST_F(PrepareTest, TheFirstBadRowIsToldOnAnyNumberOfRanks) {
  std::string content = random_rows(false, 20000, 3);
  for (const size_t place : {content.size() / 2, 2 * content.size() / 3, content.size() - 1000}) {
    content.insert(content.find('\n', place) + 1, "{bad\n");
  }
  const std::string wanted = error_of("a.jsonl", content);
  EXPECT_EQ(wanted.substr(0, 12), "79: a.jsonl:");
  for (const int ranks : {2, 3, 5}) EXPECT_EQ(error(ranks), wanted);
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
  const nlohmann::json config = {{"do_lower_case", false}};
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

}  // namespace
}  // namespace sft
