// Rows of pairs as samples: a source and a target, each with its end.
#include "pair_model.h"
#include "trainer/tasks/recipes/shown_sample.h"

namespace sft {
namespace {

using Texts = std::vector<std::string>;

class Pairs : public PairModel {
 protected:
  Texts pairs(const std::vector<json>& rows) { return pairs_of(prepare(rows)); }
};

TEST_F(Pairs, EndInTheTokenThatEndsATextOnBothSides) {
  const PrepareReport report = prepare({pair("good day", "bonjour"), pair("x", "y")});
  EXPECT_EQ(pairs_of(report), (Texts{"good day<eos> -> bonjour<eos>", "x<eos> -> y<eos>"}));
  EXPECT_EQ(report.total_units, 9 + 8 + 2 + 2);
  EXPECT_EQ(report.trained_units, 8 + 2);
}

TEST_F(Pairs, ComeFromColumnsOfAnyNameAndTables) {
  config_.pairs.source_column = "en";
  config_.pairs.target_column = "fr";
  EXPECT_EQ(pairs({json{{"en", "day"}, {"fr", "jour"}, {"source", "no"}}}), (Texts{"day<eos> -> jour<eos>"}));
  request_.files = {write("rows.tsv", "fr\ten\njour\tday\nune \"nuit\"\tnight\n")};
  EXPECT_EQ(pairs_of(run()), (Texts{"day<eos> -> jour<eos>", "night<eos> -> une \"nuit\"<eos>"}));
  request_.files = {write("rows.csv", "en,fr\n\"a, b\",\"c\nd\"\n")};
  EXPECT_EQ(pairs_of(run()), (Texts{"a, b<eos> -> c\nd<eos>"}));
}

TEST_F(Pairs, ComeFromATranslationByItsLanguages) {
  config_.pairs.source_lang = "en";
  config_.pairs.target_lang = "fr";
  const json row = {{"id", 7}, {"translation", {{"de", "Tag"}, {"en", "day"}, {"fr", "jour"}}}};
  EXPECT_EQ(pairs({row}), (Texts{"day<eos> -> jour<eos>"}));
  std::swap(config_.pairs.source_lang, config_.pairs.target_lang);
  EXPECT_EQ(pairs({row}), (Texts{"jour<eos> -> day<eos>"}));
}

TEST_F(Pairs, BeginWithThePrefix) {
  config_.pairs.source_prefix = "to French: ";
  EXPECT_EQ(pairs({pair("day", "jour")}), (Texts{"to French: day<eos> -> jour<eos>"}));
}

TEST_F(Pairs, GetAnEndWhereTheTokenizerPutsNone) {
  write("tokenizer.json", character_tokenizer().dump());
  EXPECT_EQ(pairs({pair("day", "jour")}), (Texts{"day<eos> -> jour<eos>"}));
  write("config.json", "{}");
  EXPECT_EQ(error_of({pair("day", "jour")}).substr(0, 4), "78: ");
  EXPECT_NE(error_of({pair("day", "jour")}).find("puts no token behind a text, and config.json names no eos_token_id"),
            std::string::npos);
}

// As BART's tokenizer does.
TEST_F(Pairs, MayBeginWithATokenOfTheTokenizer) {
  put_around({"<bos>"}, {"<eos>"});
  EXPECT_EQ(pairs({pair("day", "jour")}), (Texts{"<bos>day<eos> -> <bos>jour<eos>"}));
  config_.max_length = 4;
  config_.truncation = "right";
  EXPECT_EQ(pairs({pair("night", "nuit")}), (Texts{"<bos>ni<eos> -> <bos>nu<eos>"}));
  EXPECT_EQ(error_of({pair("\xe2\x82\xac", "b")}), "79: rows.jsonl:1: the source has no tokens");
  config_.max_length = 2;
  EXPECT_EQ(error_of({pair("a", "b")}),
            "78: max_length = 2 leaves no room for a text beside the 2 tokens that stand around it");
}

TEST_F(Pairs, HaveTheirWeight) {
  config_.weight_column = "w";
  json heavy = pair("a", "b");
  heavy["w"] = 2.5;
  const auto dataset = open_dataset(prepare({heavy}).shards);
  Batch one(dataset->schema());
  dataset->append(0, one);
  EXPECT_EQ(one.weights, std::vector<float>{2.5f});
}

TEST_F(Pairs, KeepTheirTextsWhereAnswersAreCompared) {
  config_.pairs.source_prefix = "say: ";
  EXPECT_EQ(open_dataset(prepare({pair("a", "b")}).shards)->schema().find(seq2seq::kTargetText), nullptr) << "of train";
  request_.split = "test";
  const auto dataset = open_dataset(prepare({pair("ab\xe2\x82\xac", "c d ")}).shards);
  Batch read(dataset->schema());
  dataset->append(0, read);
  const Batch& one = read;
  const auto text = [&](const char* column) {
    const auto bytes = one.at(column).as<uint8_t>();
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(text(seq2seq::kSourceText), "ab\xe2\x82\xac");
  EXPECT_EQ(text(seq2seq::kTargetText), "c d ") << "byte for byte";
}

TEST_F(Pairs, ThatAreToBeAnsweredNeedNoTarget) {
  request_.split = "predict";
  request_.labels_required = false;
  const PrepareReport report =
      prepare({json{{"source", "day"}}, pair("x", "y"), json{{"source", "z"}, {"target", nullptr}}});
  EXPECT_EQ(pairs_of(report), (Texts{"day<eos> -> ", "x<eos> -> y<eos>", "z<eos> -> "}));
  EXPECT_EQ(report.trained_units, -1);
}

TEST_F(Pairs, OfOneSourceStayOnOneSide) {
  config_.validation_split = 0.5;
  std::vector<json> rows;
  for (int i = 0; i < 40; ++i) rows.push_back(pair(concat("s", i % 10).c_str(), concat("t", i).c_str()));
  const auto sources = [&](PrepareRequest::Side side) {
    request_.side = side;
    std::set<std::string> out;
    for (const std::string& text : pairs(rows)) out.insert(text.substr(0, text.find(" ->")));
    return out;
  };
  const auto train = sources(PrepareRequest::Side::train), held_out = sources(PrepareRequest::Side::validation);
  EXPECT_EQ(train.size() + held_out.size(), 10u);
  EXPECT_FALSE(held_out.empty());
}

TEST_F(Pairs, AreShownWithTheirTarget) {
  const auto dataset = open_dataset(prepare({pair("good\nday", "bonjour")}).shards);
  const auto tokenizer = Tokenizer::from_directory(directory_);
  EXPECT_EQ(shown_sample(*dataset, 0, *tokenizer, *tokenizer, false),
            "row 0  17 tokens, 8 of them trained\ngood⏎day<eos>\n→ [[bonjour<eos>]]\n");
}

TEST_F(Pairs, TellWhatStopsAnAnswer) {
  const auto tokenizer = Tokenizer::from_directory(directory_);
  write("generation_config.json", R"({"eos_token_id": [1, 2]})");
  EXPECT_EQ(seq2seq_lm_stop_tokens(config_, *tokenizer), (std::vector<int32_t>{1, 2}));
}

}  // namespace
}  // namespace sft
