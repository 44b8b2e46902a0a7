// Scores of generated texts by hand. tests/parity/generation_scores.py compares them with sacrebleu and rouge_score.
#include "trainer/metrics/generation/generation_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "trainer/metrics/generation/rouge.h"

namespace sft {
namespace {

using nlohmann::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string tokens(std::string_view text, std::string_view tokenizer) {
  std::string out;
  for (const std::u32string& token : bleu_tokenizer(tokenizer).tokens(characters_of(text)))
    out += (out.empty() ? "" : " ") + utf8_of(token);
  return out;
}

std::vector<double> counts_of(const Pairs& pairs, const GenerationScoreConfig& config = {}) {
  std::vector<double> counts(GenerationScores::num_counts());
  for (const auto& [hypothesis, reference] : pairs)
    GenerationScores::add({hypothesis, reference, 5, true}, config, counts);
  return counts;
}

json scores_of(const Pairs& pairs, const GenerationScoreConfig& config = {}) {
  return GenerationScores(config, counts_of(pairs, config)).scores();
}

TEST(BleuTokenizer, CutsSignsButNotNumbers) {
  EXPECT_EQ(tokens("Hello, world. It's 3.14 or 1,000 (10-20).", "13a"),
            "Hello , world . It's 3.14 or 1,000 ( 10 - 20 ) .");
  EXPECT_EQ(tokens("&quot;a&quot; &amp;lt; b-\nc<skipped>", "13a"), "\" a \" < bc");
  EXPECT_EQ(tokens("..x", "13a"), ". . x");
  EXPECT_EQ(tokens("Hello, world.", "none"), "Hello, world.");
}

TEST(BleuTokenizer, CutsChineseCharactersApart) {
  EXPECT_EQ(tokens("用Debian 12.5版，好。", "zh"), "用 Debian 12.5 版 ， 好 。");
  EXPECT_EQ(tokens("“a”—b", "zh"), "“ a ” — b") << "which sacrebleu's ranges hold by mistake";
  EXPECT_EQ(tokens("\U00020000\U00020001", "zh"), "\U00020000\U00020001") << "which they miss";
  EXPECT_EQ(tokens("用 ab\u3000c", "char"), "用 a b c");
}

TEST(Bleu, PunishesShortHypothesesAndSmoothsOrdersWithoutAMatch) {
  const double short_one = scores_of({{"a b c d", "a b c d e f g h"}})["bleu"];
  EXPECT_NEAR(short_one, 100 * std::exp(1 - 8.0 / 4.0), 1e-9);
  const double smoothed = scores_of({{"a b x c d", "a b y c d"}})["bleu"];  // 4/5, 2/4, then ½ of 3, ¼ of 2
  EXPECT_NEAR(smoothed, 100 * std::pow(0.8 * 0.5 * (0.5 / 3) * (0.25 / 2), 0.25), 1e-9);
  EXPECT_EQ(scores_of({{"a b c", "a b c"}})["bleu"], 0) << "no hypothesis has four tokens";
}

TEST(Bleu, IsOfTheCorpusAndNoMeanOfItsRows) {
  const double both = scores_of({{"a b c d", "a b c d"}, {"e f g h", "i j k l"}})["bleu"];
  EXPECT_NEAR(both, 50, 1e-9);
  const double uneven = scores_of({{"a b c d", "a b c d"}, {"e f g h e f g h", "i j k l i j k l"}})["bleu"];
  EXPECT_NEAR(uneven, 100 * std::pow(4.0 / 12 * 3.0 / 10 * 2.0 / 8 * 1.0 / 6, 0.25), 1e-9);
}

TEST(Chrf, CountsRecallTwiceOverTheOrdersThatBothSidesHave) {
  EXPECT_NEAR(scores_of({{"a b", "ab"}})["chrf"].get<double>(), 100, 1e-9) << "white space is taken out";
  EXPECT_NEAR(scores_of({{"用户", "用户名"}})["chrf"].get<double>(), 100 * 5 * (7.0 / 12) / (4 + 7.0 / 12), 1e-9);
  EXPECT_EQ(scores_of({{"x", "y"}})["chrf"], 0);
}

TEST(Chrf, OfWordsSetsASignApart) {
  const auto plus_plus = [](const std::string& a, const std::string& b) -> double {
    return scores_of({{a, b}})["chrf++"];
  };
  EXPECT_NEAR(plus_plus("ab", "ab"), 100, 1e-9);
  EXPECT_NEAR(plus_plus("a b", "ab"), 100 * (2.0 / 3), 1e-9) << "no word of two, though all characters";
  EXPECT_NEAR(plus_plus("ab (c", "ab ( c"), 100, 1e-9) << "a sign at the beginning";
  EXPECT_LT(plus_plus("ab (c)", "ab ( c )"), 100) << "at the end alone, as in sacrebleu";
}

TEST(BleuTokenizer, FollowsTheLanguage) {
  for (const char* chinese : {"zh", "zh_CN", "cmn_Hans", "zh-TW"})
    EXPECT_EQ(bleu_tokenizer_of_language(chinese), "zh") << chinese;
  EXPECT_EQ(bleu_tokenizer_of_language("ja"), "char");
  for (const char* other : {"en", "de", "", "zhuang"}) EXPECT_EQ(bleu_tokenizer_of_language(other), "13a") << other;
}

TEST(Rouge, IsAnFMeasureOfWordsPairsAndSubsequence) {
  const RougeScore score = rouge_score("The cat sat on a mat", "the cat, on the mat!");
  EXPECT_NEAR(score.rouge1, 8.0 / 11, 1e-12);
  EXPECT_NEAR(score.rouge2, 2.0 / 9, 1e-12);
  EXPECT_NEAR(score.rougeL, 8.0 / 11, 1e-12);
  EXPECT_NEAR(rouge_score("用户名", "用户").rougeL, 0.8, 1e-12) << "Chinese by character";
  EXPECT_EQ(rouge_score("...", "...").rouge1, 0) << "no words";
}

TEST(GenerationScores, FoldWhiteSpaceInExactMatchAndTellLengthAndStop) {
  const GenerationScoreConfig config;
  std::vector<double> counts(GenerationScores::num_counts());
  GenerationScores::add({" Paris\n is\u3000big ", "Paris is big", 4, true}, config, counts);
  GenerationScores::add({"paris is big", "Paris is big", 9, false}, config, counts);
  const json scores = GenerationScores(config, counts).scores();
  EXPECT_EQ(scores["exact_match"], 0.5);
  EXPECT_EQ(scores["mean_generated_tokens"], 6.5);
  EXPECT_EQ(scores["stopped_share"], 0.5);
}

TEST(GenerationScores, TellTheirSignatures) {
  const GenerationScoreConfig config{.bleu_tokenize = "zh"};
  const json details = GenerationScores(config, counts_of({{"用户", "用户"}}, config)).details();
  EXPECT_EQ(details["bleu"]["signature"], "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0");
  EXPECT_EQ(details["chrf"]["signature"], "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0");
  EXPECT_EQ(details["chrf++"]["signature"], "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0");
  EXPECT_NE(details["rouge"]["signature"].get<std::string>().find("cjk:character"), std::string::npos);
}

TEST(GenerationScores, OfNoRowsAreZero) {
  const json scores = scores_of({});
  for (const auto& [name, value] : scores.items()) EXPECT_EQ(value, 0.0) << name;
}

}  // namespace
}  // namespace sft
