// Rows that are longer than a sample may be.
#include "chat_model.h"

namespace sft {
namespace {

class Length : public ChatModel {
 protected:
  std::string told(const PrepareReport& report, const std::string& part) {
    for (const auto& [what, note] : report.notes)
      if (what.find(part) != what.npos)
        return concat(note.num_rows, " ", what, ": ", fs::path(note.first).filename().string());
    return "";
  }
};

const json kShort = {{"prompt", "q"}, {"completion", "yes"}}, kLong = {{"prompt", "question"}, {"completion", "yes"}};

TEST_F(Length, LongRowsAreLeftOutAndCounted) {
  config_.max_length = 6;
  const PrepareReport report = prepare({kShort, kLong, kShort});
  EXPECT_EQ(marked(report), (std::vector<std::string>{"q[[yes<eos>]]", "q[[yes<eos>]]"}));
  EXPECT_EQ(report.num_rows, 3);
  EXPECT_EQ(report.num_samples, 2);
  EXPECT_EQ(report.total_units, 10);
  EXPECT_EQ(report.trained_units, 8);
  EXPECT_EQ(told(report, "left out"),
            "1 rows have more than max_length = 6 tokens and are left out: rows.jsonl:2 with 12");
}

TEST_F(Length, LongRowsAreCutWhereItIsWanted) {
  config_.max_length = 10;
  config_.truncation = "right";
  PrepareReport report = prepare({kLong});
  EXPECT_EQ(marked(report).at(0), "question[[ye]]");
  EXPECT_EQ(report.truncated_rows, 1);
  config_.truncation = "left";
  EXPECT_EQ(marked(kLong), "estion[[yes<eos>]]");
  config_.truncation = "error";
  EXPECT_EQ(
      error_of({kLong}),
      "79: rows.jsonl:1: has 12 tokens, max_length is 10; raise it, or let data.truncation be drop, right or left");
}

TEST_F(Length, ARowWithoutATrainedTokenLeftIsLeftOut) {
  config_.max_length = 8;
  config_.truncation = "right";
  const PrepareReport report = prepare({kShort, kLong});
  EXPECT_EQ(marked(report), (std::vector<std::string>{"q[[yes<eos>]]"}));
  EXPECT_EQ(told(report, "no token left"), "1 rows have no token left to be trained and are left out: rows.jsonl:2");
  EXPECT_NE(error_of({kLong}).find("rows have no token left to be trained and are left out. The first: rows.jsonl:1"),
            std::string::npos);
}

TEST_F(Length, TextsAreSplitIntoPieces) {
  config_.max_length = 4;
  config_.truncation = "split";
  const PrepareReport report = prepare({json{{"text", "123456789"}}, json{{"text", "ok"}}});
  EXPECT_EQ(marked(report), (std::vector<std::string>{"[[1234]]", "[[5678]]", "[[9<eos>]]", "[[ok<eos>]]"}));
  EXPECT_EQ(report.num_rows, 2);
  EXPECT_EQ(report.trained_units, 3 + 3 + 1 + 2) << "the first token of a sample is no target";
  EXPECT_EQ(
      error_of({kShort}),
      "78: data.truncation = 'split' makes pieces of plain texts, and rows.jsonl:1 has prompt and completion; right, "
      "left and drop are for all rows");
}

TEST_F(Length, NoSampleIsLongerThanTheModelHasPositions) {
  write("config.json", R"({"eos_token_id": 2, "n_positions": 6})");
  const PrepareReport report = prepare({kShort, kLong});
  EXPECT_EQ(told(report, "left out"),
            "1 rows have more than max_length = 6 tokens and are left out: rows.jsonl:2 with 12");
}

}  // namespace
}  // namespace sft
