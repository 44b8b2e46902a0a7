// Texts cut at spaces, with ids of pieces remembered, against the same tokenizer with an added token that holds a
// space: that one must look at whole texts.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "data/text/tokenizer.h"
#include "tokenizer_files.h"

namespace sft {
namespace {

// `flag`: what the token is beside its content; "" is nothing.
std::unique_ptr<Tokenizer> with_token(const Tokenizer& tokenizer, const std::string& token, const std::string& flag) {
  json content = json::parse(tokenizer.to_json()), added{{"id", tokenizer.vocab_size()}, {"content", token}};
  for (const char* name : {"single_word", "lstrip", "rstrip", "normalized", "special"}) added[name] = name == flag;
  content["added_tokens"].push_back(added);
  const Folder folder(json{{"tokenizer.json", content.dump()}});
  return Tokenizer::from_directory(folder.path());
}

std::unique_ptr<Tokenizer> of_whole_texts(const Tokenizer& tokenizer) {
  return with_token(tokenizer, "never\x01 seen", "");
}

// What a place to cut may wrongly stand beside, and words enough that most pieces come again.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> parts = {
      " ",        " ",      " ",       " ",      "  ",     "   ",    "\t",    "\n",      "\r\n",   "\x0b",
      "\xc2\x85", "\u00a0", "\u3000",  "\u2028", "\u200d", "\x01",   "\x7f",  "\ufffd",  "the",    "dog",
      "lazy",     "Café",   "e\u0301", "\u0301", "\u0940", "\u0345", "ﬁne",   "İs",      "ΟΔΟΣ",   "漢字",
      "한국어",   "😀",      "½",       "²",      "12",     "3.5",    "don't", "'s",      "'",      ",",
      ".",        "-",      "_",       "##ing",  "$dog",   "[MASK]", "[CLS]", "<mask>",  "<s>",    "</s>",
      "<",        "[",      "MASK]",   "straße", "words",  "מילה",   "x",     "snake_c", "\u1680", "\u0e33",
      "ｆｕ",     "\u200b", "\u00ad",  "ǅ",      "and",    "of",     "to"};
  std::uniform_int_distribution<size_t> any(0, parts.size() - 1), length(0, 14);
  std::string text;
  for (size_t n = length(random); n > 0; --n) text += parts[any(random)];
  return text;
}

void expect_the_ids_of_whole_texts(const Tokenizer& tokenizer) {
  const auto whole = of_whole_texts(tokenizer);
  ASSERT_EQ(whole->vocab_size(), tokenizer.vocab_size() + 1);
  std::mt19937 random(1);
  std::vector<std::string> texts(1000);
  for (std::string& text : texts) text = random_text(random);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto wanted = whole->encode_batch(views);
  for (const auto& got : {tokenizer.encode_batch(views), tokenizer.encode_batch(views)})  // pieces new, and known
    for (size_t i = 0; i < texts.size(); ++i)
      ASSERT_EQ(got[i].ids, wanted[i].ids) << json(texts[i]).dump(-1, ' ', true);
  const auto wanted_places = whole->encode_placed(views);
  for (const auto& got : {tokenizer.encode_placed(views), tokenizer.encode_placed(views)})
    for (size_t i = 0; i < texts.size(); ++i) {
      ASSERT_EQ(got[i].ids, wanted_places[i].ids) << json(texts[i]).dump(-1, ' ', true);
      ASSERT_EQ(got[i].first, wanted_places[i].first);
      ASSERT_EQ(got[i].end, wanted_places[i].end);
    }
  const Encoding words = tokenizer.encode_words({texts})[0], wanted_words = whole->encode_words({texts})[0];
  ASSERT_EQ(words.ids, wanted_words.ids);
  ASSERT_EQ(words.words, wanted_words.words);
}

TEST(TokenizerPieces, GiveTheIdsAndThePlacesOfWholeTexts) {
  for (const json& entry : reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const Folder folder(entry["files"]);
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    expect_the_ids_of_whole_texts(*tokenizer);
    for (const auto& [token, flag] :
         std::initializer_list<std::pair<std::string, std::string>>{{"$dog", "rstrip"},
                                                                    {"$dog", "lstrip"},
                                                                    {"og", "single_word"},
                                                                    {"dog", "single_word"},
                                                                    {"Lazy", "normalized"}}) {
      SCOPED_TRACE(token + ", " + flag);
      expect_the_ids_of_whole_texts(*with_token(*tokenizer, token, flag));
    }
  }
}

}  // namespace
}  // namespace sft
