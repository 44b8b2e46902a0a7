// Marian's and T5's tokenizers on models of a few pieces. sentencepiece/reference.py compares the ids of 10,000 texts
// with transformers'.
#include <gtest/gtest.h>

#include <functional>

#include "base/errors.h"
#include "base/text.h"
#include "data/text/tokenizer.h"
#include "sentencepiece_files.h"
#include "tokenizer_files.h"

namespace sft {
namespace {

using Ids = std::vector<int32_t>;

// Ids of vocab.json: </s> 0, <unk> 1, ▁good 2, ▁day 3, ▁ 4, a 5, >>fr<< 6, ▁bon 7, jour 8, é 9, <pad> 10. Other letters
// have none.
json marian_files() {
  const std::vector<HandPiece> french = {
      {"<unk>", 0, PieceKind::unknown}, {"\u2581bon", -2}, {"jour", -2}, {"\u2581", -3}, {"a", -5}};
  const json vocabulary = {{"</s>", 0},   {"<unk>", 1},  {"\u2581good", 2}, {"\u2581day", 3},
                           {"\u2581", 4}, {"a", 5},      {">>fr<<", 6},     {"\u2581bon", 7},
                           {"jour", 8},   {"\u00e9", 9}, {"<pad>", 10}};
  return {{"source.spm", sentencepiece_file(english_pieces())},
          {"target.spm", sentencepiece_file(french)},
          {"vocab.json", vocabulary.dump()},
          {"tokenizer_config.json", R"({"tokenizer_class": "MarianTokenizer"})"}};
}

Ids ids_of(const Tokenizer& tokenizer, std::string_view text) { return tokenizer.encode(text).ids; }

std::string message_of(const std::string& directory, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    std::string message = concat(static_cast<int>(error.code()), ": ", error.what());
    for (size_t at; (at = message.find(directory)) != message.npos;) message.replace(at, directory.size(), "DIR");
    return message;
  }
  return "nothing was thrown";
}

std::string refusal_of(const json& files) {
  const Folder folder(files);
  return message_of(folder.path(), [&] { Tokenizer::from_directory(folder.path()); });
}

class Marian : public ::testing::Test {
 protected:
  const Folder folder_{marian_files()};
  const std::unique_ptr<Tokenizer> source_ = Tokenizer::from_directory(folder_.path());
  const std::unique_ptr<Tokenizer> target_ = Tokenizer::of_targets(folder_.path());
};

TEST_F(Marian, CutsSourcesAndTargetsEachByItsModel) {
  EXPECT_EQ(ids_of(*source_, "good day"), (Ids{2, 3, 0}));
  EXPECT_EQ(ids_of(*target_, "bon jour"), (Ids{7, 4, 8, 0}));
  EXPECT_EQ(ids_of(*target_, "bonjour"), (Ids{7, 8, 0}));
  EXPECT_EQ(ids_of(*source_, "  good   day "), (Ids{2, 3, 0})) << "spaces count once, and not at the ends";
  EXPECT_EQ(ids_of(*source_, ""), (Ids{0}));
  EXPECT_EQ(source_->vocab_size(), 11);
}

TEST_F(Marian, UnknownCharactersAreOneTokenAndPiecesWithoutAnIdAreEach) {
  EXPECT_EQ(ids_of(*source_, "\u4e2d\u6587"), (Ids{4, 1, 0}));
  EXPECT_EQ(ids_of(*source_, "bb"), (Ids{4, 1, 1, 0})) << "pieces that vocab.json lacks";
  EXPECT_EQ(ids_of(*source_, "\u00e9"), (Ids{4, 9, 0})) << "no piece, but an entry of vocab.json";
}

TEST_F(Marian, FindsLanguageCodesAndSpecialTokens) {
  EXPECT_EQ(ids_of(*source_, ">>fr<< good"), (Ids{6, 2, 0}));
  EXPECT_EQ(ids_of(*source_, ">>xx<< good"), (Ids{1, 2, 0}));
  EXPECT_EQ(ids_of(*source_, "good</s>day"), (Ids{2, 0, 3, 0}));
}

TEST_F(Marian, SpellsIdsOfBothSides) {
  EXPECT_EQ(source_->decode(Ids{2, 3}), "good day");
  EXPECT_EQ(source_->decode(Ids{7, 8, 0}), "bonjour</s>");
  EXPECT_EQ(source_->decode(Ids{}), "");
}

TEST_F(Marian, CutsTextsWholeWhateverTheTruncationIs) {
  source_->set_truncation(2, "right");
  EXPECT_EQ(ids_of(*source_, "good day"), (Ids{2, 0}));
  const std::vector<Encoding> whole = source_->encode_whole({"good day", "good"});
  EXPECT_EQ(whole[0].ids, (Ids{2, 3, 0}));
  EXPECT_FALSE(whole[0].truncated);
  EXPECT_EQ(whole[1].ids, (Ids{2, 0}));
}

TEST_F(Marian, IsToldByItsFilesAlone) {
  EXPECT_FALSE(source_->is_json());
  json other = marian_files();
  other["target.spm"] = sentencepiece_file({{"<unk>", 0, PieceKind::unknown}, {"\u2581bon", -3}});
  EXPECT_NE(Tokenizer::from_directory(Folder(other).path())->sha256(), source_->sha256()) << "both models count";
  EXPECT_EQ(Tokenizer::from_directory(Folder(marian_files()).path())->sha256(), source_->sha256());
  EXPECT_THROW(source_->encode_placed({"good"}), ConfigError);
}

TEST_F(Marian, HasAVocabularyALanguageWhereItSaysSo) {
  json files = marian_files();
  files["target_vocab.json"] = R"({"</s>": 0, "<unk>": 1, "▁bon": 2, "jour": 3, "<pad>": 4})";
  files["tokenizer_config.json"] = R"({"tokenizer_class": "MarianTokenizer", "separate_vocabs": true})";
  const Folder folder(files);
  EXPECT_EQ(ids_of(*Tokenizer::of_targets(folder.path()), "bonjour"), (Ids{2, 3, 0}));
  EXPECT_EQ(ids_of(*Tokenizer::from_directory(folder.path()), "good"), (Ids{2, 0}));
}

TEST(MarianFiles, SayWhatIsWrong) {
  json files = marian_files();
  files["source.spm"] = "no model";
  EXPECT_EQ(refusal_of(files), "79: DIR/source.spm: not a model of SentencePiece");
  const std::string whole = sentencepiece_file(english_pieces());
  int64_t read = 0;  // what is cut between two pieces
  for (size_t size = 1; size < whole.size(); ++size) {
    files["source.spm"] = whole.substr(0, size);
    const std::string message = refusal_of(files);
    EXPECT_TRUE(message.starts_with("79: DIR/source.spm: ") || message == "nothing was thrown") << message;
    read += message == "nothing was thrown";
  }
  EXPECT_LE(read, std::ssize(english_pieces()));
  files = marian_files();
  files["target.spm"] = sentencepiece_file(english_pieces(), 2);
  EXPECT_NE(refusal_of(files).find("nothing was thrown"), std::string::npos) << "it is of targets";
  files["source.spm"] = files["target.spm"];
  EXPECT_NE(refusal_of(files).find("DIR/source.spm: a model of SentencePiece of the type 'bpe', and those of the type "
                                   "unigram are read"),
            std::string::npos);
  files = marian_files();
  files.erase("target.spm");
  EXPECT_NE(refusal_of(files).find("78: DIR/target.spm: cannot be read"), std::string::npos);
  files = marian_files();
  files["vocab.json"] = R"({"<unk>": 0})";
  EXPECT_EQ(refusal_of(files), "79: DIR/vocab.json: no entry is the token '</s>'; is this a Marian vocabulary?");
  files["vocab.json"] = R"(["<unk>"])";
  EXPECT_NE(refusal_of(files).find("79: DIR/vocab.json: wanted a JSON object of tokens and their ids"),
            std::string::npos);
}

json t5_files() {
  std::vector<HandPiece> pieces = {{"<pad>", 0, PieceKind::control},
                                   {"</s>", 0, PieceKind::control},
                                   {"<unk>", 0, PieceKind::unknown},
                                   {"\u2581good", -2},
                                   {"\u2581", -3}};
  return {{"spiece.model", sentencepiece_file(pieces)}, {"config.json", R"({"model_type": "mt5"})"}};
}

TEST(T5, ReadsABareModelAndCountsTokensThatStandForGaps) {
  const Folder folder(t5_files());
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  EXPECT_EQ(tokenizer->vocab_size(), 105) << "100 extra ids";
  EXPECT_EQ(ids_of(*tokenizer, "good <extra_id_0>"), (Ids{3, 104, 1}));
  EXPECT_TRUE(tokenizer->is_json());
  EXPECT_EQ(Tokenizer::of_targets(folder.path()), nullptr) << "one cuts both sides";
  json none = t5_files();
  none["tokenizer_config.json"] = R"({"extra_ids": 0})";
  EXPECT_EQ(Tokenizer::from_directory(Folder(none).path())->vocab_size(), 5);
}

TEST(T5, WantsItsThreePiecesInFront) {
  json files = t5_files();
  files["spiece.model"] = sentencepiece_file(english_pieces());
  EXPECT_EQ(refusal_of(files),
            "79: DIR/spiece.model: its piece number 2 is not the unknown one; T5 has <pad>, </s> and <unk> in front "
            "(spm_train --pad_id=0 --eos_id=1 --unk_id=2)");
  files.erase("config.json");
  EXPECT_NE(refusal_of(files).find("spiece.model cannot be read alone"), std::string::npos)
      << "ALBERT has such a file too";
}

}  // namespace
}  // namespace sft
