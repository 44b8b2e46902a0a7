// prepare_shards() knows no kinds: a row may give no sample, one or many, and what it promises holds for all of them.
#include "data/prepare/recipe.h"

#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/random.h"
#include "data/rows_fixture.h"
#include "data/samples/batch.h"
#include "data/samples/dataset.h"
#include "support/ranks.h"

namespace sft {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Side = PrepareRequest::Side;

// A row {"name": …, "windows": [7, 8]} gives a sample for each window, of as many tokens as it says.
class Windows final : public Recipe {
 public:
  std::unique_ptr<Input> open(const StringList& files) const override { return open_rows(files, {}); }
  std::vector<WantedColumn> wanted_columns() const override { return {{"text_column", "windows"}}; }
  json key() const override { return "windows"; }
  Group group_of(const Row& row, uint64_t seed) const override { return {derive_key(seed, row.find("name")->text)}; }

  ShardInfo shard() const override {
    ShardInfo info;
    info.schema = {.columns = {{.name = "tokens", .number = Number::int32, .axis = "token", .bound = 100},
                               {.name = "labels", .number = Number::int64, .bound = 100, .role = Role::target}},
                   .units = {"token"}};
    info.max_length = 100;
    return info;
  }

  void describe(PrepareReport& report) const override { report.units_are = "tokens"; }
  size_t rows_at_once() const override { return 3; }

  void make(std::span<const Row> rows, SampleSink& out) const override {
    most_rows_ = std::max(most_rows_, rows.size());
    Sample sample(shard().schema);
    for (const Row& row : rows) {
      const Cell* windows = row.find("windows");
      if (windows == nullptr) {
        out.refuse(BadRow(row.place() + ": no windows"));
        continue;
      }
      out.begin(row);
      for (const Cell& window : windows->items) {
        std::vector<int32_t> tokens(std::stoul(window.text));
        std::iota(tokens.begin(), tokens.end(), 0);
        sample.cells[0].set(tokens);
        sample.cells[1].set(int64_t{std::stoi(row.find("name")->text)});
        out.append(sample);
      }
    }
  }

  mutable size_t most_rows_ = 0;
};

class RecipeTest : public RowsTest {
 protected:
  std::string write(const std::string& name, const std::vector<std::string>& rows) {
    return RowsTest::write(name, join(rows, "\n"));
  }

  PrepareReport run(int ranks = 1) {
    fs::remove_all(request_.output_directory);
    std::vector<PrepareReport> reports(static_cast<size_t>(ranks));
    on_ranks(ranks, [&](const Peers& peers) {
      Windows recipe;
      reports[static_cast<size_t>(peers.self.index)] = prepare_shards(request_, config_, recipe, peers);
      EXPECT_LE(recipe.most_rows_, recipe.rows_at_once());
    });
    return reports[0];
  }

  // Of each sample: its row's number and name, and its length: "0 12:7".
  static std::vector<std::string> samples(const PrepareReport& report) {
    const auto dataset = open_dataset(report.shards);
    Batch batch(dataset->schema());
    for (int64_t i = 0; i < dataset->size(); ++i) dataset->append(i, batch);
    std::vector<std::string> out;
    const auto names = std::as_const(batch).at("labels").as<int64_t>();
    for (size_t i = 0; i < names.size(); ++i)
      out.push_back(concat(batch.rows[i], " ", names[i], ":", dataset->length(static_cast<int64_t>(i))));
    return out;
  }
};

std::string row(int name, const std::string& windows, const std::string& ballast = "") {
  return concat("{\"name\":", name, ",\"windows\":[", windows, "],\"x\":\"", ballast, "\"}");
}

TEST_F(RecipeTest, ARowGivesNoneOneOrManySamplesAndEachKnowsItsRow) {
  config_.on_bad_row = "skip";
  request_.files = {write("a.jsonl", {row(10, "3,4,5"), row(11, ""), "{\"name\":12}", "{bad", row(13, "6"), row(14, ""),
                                      row(15, "7,8"), row(16, "")})};
  const PrepareReport report = run();
  EXPECT_EQ(samples(report), (std::vector<std::string>{"0 10:3", "0 10:4", "0 10:5", "2 13:6", "4 15:7", "4 15:8"}));
  EXPECT_EQ(open_dataset(report.shards)->info().num_rows, 6) << "the last row, which gave no sample, is one";
  EXPECT_EQ(report.num_rows, 6);
  EXPECT_EQ(report.num_samples, 6);
  EXPECT_EQ(report.bad_rows, 2);
  request_.files = {write("b.jsonl", {row(10, "3,4,5"), row(11, "")})};
  EXPECT_EQ(describe(run(), "train"),
            "train: 2 rows, 3 samples, 12 tokens in 1 shard\n  samples by tokens: 2–3: 1 · 4–7: 2");
  request_.files = {write("c.jsonl", {row(10, "")})};
  try {
    run();
    FAIL() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("c.jsonl: 1 rows, and none gives a sample for train"))
        << error.what();
  }
}

// Four pieces of 4 MiB, the second without any sample.
TEST_F(RecipeTest, ShardsOfManySamplesARowAreTheSameOnAnyNumberOfRanks) {
  std::vector<std::string> rows;
  for (int i = 0; i < 16'000; ++i)
    rows.push_back(row(i % 90,
                       i / 4000 == 1 ? ""
                       : i % 3 == 0  ? "1,2,3"
                       : i % 3 == 1  ? ""
                                     : "9",
                       std::string(1000, 'x')));
  request_.files = {write("a.jsonl", rows)};
  std::vector<std::string> wanted, all;
  for (const int ranks : {1, 2, 5}) {
    const PrepareReport report = run(ranks);
    EXPECT_EQ(report.num_rows, 16'000);
    EXPECT_EQ(open_dataset(report.shards)->info().num_rows, 16'000);
    std::vector<std::string> content;
    for (const std::string& shard : report.shards) content.push_back(open_dataset({shard})->info().fingerprint);
    if (wanted.empty()) wanted = content, all = samples(report);
    EXPECT_EQ(content, wanted) << ranks << " ranks";
    EXPECT_EQ(samples(report), all) << ranks << " ranks";
  }
  EXPECT_GE(wanted.size(), 3u);
}

TEST_F(RecipeTest, ValidationSplitHoldsOutWholeRowsAndGroupsOfThem) {
  std::vector<std::string> rows;
  for (int i = 0; i < 200; ++i) rows.push_back(row(i % 50, "1,2,3"));
  request_.files = {write("a.jsonl", rows)};
  config_.validation_split = 0.2;
  std::map<Side, std::multiset<std::string>> names;
  for (const Side side : {Side::train, Side::validation}) {
    request_.side = side;
    for (const std::string& sample : samples(run(side == Side::train ? 1 : 3)))
      names[side].insert(sample.substr(sample.find(' ') + 1, sample.find(':') - sample.find(' ') - 1));
  }
  EXPECT_EQ(names[Side::validation].size(), 10u * 4 * 3) << "a fifth of 50 names, four rows each, three samples a row";
  EXPECT_EQ(names[Side::train].size(), 40u * 4 * 3);
  for (const std::string& name : names[Side::validation]) {
    EXPECT_EQ(names[Side::validation].count(name), 12u);
    EXPECT_EQ(names[Side::train].count(name), 0u);
  }
}

}  // namespace
}  // namespace sft
