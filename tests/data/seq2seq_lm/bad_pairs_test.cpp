// What is wrong with a pair is told with its file and line, and with the cure.
#include "pair_model.h"

namespace sft {
namespace {

class BadPairs : public PairModel {
 protected:
  static json translation(const json& languages) { return {{"translation", languages}}; }
  const json good_ = pair("a", "b");
};

TEST_F(BadPairs, HaveNoText) {
  EXPECT_EQ(error_of({good_, pair(" \n", "b")}), "79: rows.jsonl:2: column 'source' is empty");
  EXPECT_EQ(error_of({good_, pair("a", "")}), "79: rows.jsonl:2: column 'target' is empty");
  EXPECT_EQ(error_of({json{{"source", "a"}, {"target", 5}}}),
            "79: rows.jsonl:1: column 'target' wanted a string, found the number 5");
  EXPECT_EQ(error_of({json{{"source", "a"}, {"traget", "b"}}}),
            "79: rows.jsonl:1: column 'target' is missing; the row has: 'source', 'traget' (did you mean 'traget'?)");
  EXPECT_EQ(error_of({json{{"text", "a"}}}),
            "79: rows.jsonl:1: wanted 'source' and 'target' (data.source_column, data.target_column), or translation; "
            "the row has: 'text'");
  EXPECT_EQ(error_of({pair("\xe2\x82\xac", "b")}), "79: rows.jsonl:1: the source has no tokens");
}

TEST_F(BadPairs, LackALanguage) {
  EXPECT_EQ(error_of({translation({{"en", "a"}, {"zh", "b"}})}),
            "79: rows.jsonl:1: has a translation, and data.source_lang does not say which of its languages is read; it "
            "has: 'en', 'zh'");
  config_.pairs.source_lang = "en";
  config_.pairs.target_lang = "zh";
  EXPECT_EQ(error_of({translation({{"en", "a"}, {"zh", "b"}}), translation({{"en", "a"}, {"de", "b"}})}),
            "79: rows.jsonl:2: its translation has no 'zh' (data.target_lang); it has: 'de', 'en'");
  EXPECT_EQ(error_of({translation({{"en", ""}, {"zh", "b"}})}),
            "79: rows.jsonl:1: its translation's 'en' (data.source_lang) is empty");
  EXPECT_EQ(error_of({translation({{"en", "a"}, {"zh", nullptr}})}),
            "79: rows.jsonl:1: its translation's 'zh' (data.target_lang) wanted a string, found null");
  EXPECT_EQ(error_of({translation("a")}),
            "79: rows.jsonl:1: column 'translation' wanted an object of languages, found 'a'");
}

TEST_F(BadPairs, AreCountedWhereTheConfigSaysSo) {
  config_.on_bad_row = "skip";
  const PrepareReport report = prepare({good_, pair("", "b"), pair("a", ""), good_});
  EXPECT_EQ(report.num_samples, 2);
  EXPECT_EQ(report.bad_rows, 2);
}

TEST_F(BadPairs, LongOnesAreLeftOutAndCountedBySide) {
  config_.max_length = 6;
  config_.pairs.max_target_length = 3;
  const PrepareReport report = prepare({good_, pair("aaaaaa", "b"), pair("aaaaa", "bbb"), pair("aaaaa", "bb")});
  EXPECT_EQ(pairs_of(report), (std::vector<std::string>{"a<eos> -> b<eos>", "aaaaa<eos> -> bb<eos>"}));
  EXPECT_EQ(told(report, "a source of"),
            "1 rows have a source of more tokens than max_length = 6 and are left out: rows.jsonl:2 with 7");
  EXPECT_EQ(told(report, "a target of"),
            "1 rows have a target of more tokens than max_target_length = 3 and are left out: rows.jsonl:3 with 4");
  EXPECT_EQ(report.truncated_rows, 0);
}

TEST_F(BadPairs, LongOnesAreCutInFrontOfTheirEnd) {
  config_.max_length = 4;
  config_.pairs.max_target_length = 3;
  config_.truncation = "right";
  const PrepareReport report = prepare({pair("abcdef", "xyz"), good_});
  EXPECT_EQ(pairs_of(report), (std::vector<std::string>{"abcd<eos> -> xy<eos>", "a<eos> -> b<eos>"}))
      << "ab is one token";
  EXPECT_EQ(report.truncated_rows, 1);
}

TEST_F(BadPairs, LongOnesAreRefusedWhereTheConfigSaysSo) {
  config_.truncation = "error";
  config_.max_length = 5;
  EXPECT_EQ(error_of({good_, pair("cccccc", "b")}),
            "79: rows.jsonl:2: the source has 7 tokens, and the limit is max_length = 5; raise it, or let "
            "data.truncation be drop or right");
  config_.pairs.max_target_length = 3;
  EXPECT_EQ(error_of({good_, pair("a", "bbb")}),
            "79: rows.jsonl:2: the target has 4 tokens, and the limit is max_target_length = 3; raise it, or let "
            "data.truncation be drop or right");
}

TEST_F(BadPairs, NoneIsLongerThanTheModelHasPositions) {
  write("config.json", R"({"vocab_size": 200, "max_position_embeddings": 4})");
  const PrepareReport report = prepare({good_, pair("cccc", "b")});
  EXPECT_EQ(told(report, "left out"),
            "1 rows have a source of more tokens than 4 positions of the model and are left out: rows.jsonl:2 with 5");
  config_.truncation = "error";
  EXPECT_EQ(error_of({pair("cccc", "b")}),
            "79: rows.jsonl:1: the source has 5 tokens, and the limit is 4 positions of the model; let data.truncation "
            "be drop or right");
}

TEST_F(BadPairs, LeaveRoomForMoreThanTheEnd) {
  config_.pairs.max_target_length = 1;
  EXPECT_EQ(error_of({good_}), "78: max_target_length = 1 leaves no room for a text beside the token that ends it");
}

TEST_F(BadPairs, TokensThatTheModelDoesNotKnowAreNamed) {
  write("config.json", R"({"vocab_size": 200, "decoder_vocab_size": 90})");
  EXPECT_EQ(
      error_of({good_, pair("~", "b~")}),
      "79: rows.jsonl:2: token '~' of the target has the id 98, and the model knows 90 tokens there (the "
      "tokenizer 101). Tokenizer and model do not belong together, or config.json's vocab_size and the embeddings "
      "lack rows; the model is not enlarged");
}

}  // namespace
}  // namespace sft
