// Token ids against transformers' AutoTokenizer: tokenizer_reference.json, written by tokenizer_reference.py.
#include "data/text/tokenizer.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/errors.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "tokenizer_files.h"

namespace sft {
namespace {

std::string segments_of(const Encoding& encoding) {
  std::string out;
  for (const uint8_t id : encoding.segments) out += static_cast<char>('0' + id);
  return out;
}

Encoding encode(const Tokenizer& tokenizer, const json& wanted) {
  const std::string first = text_of(wanted["first"]);
  if (wanted["second"].is_null()) return tokenizer.encode(first);
  return tokenizer.encode_pair(first, text_of(wanted["second"]));
}

TEST(Tokenizer, GivesTheIdsOfTransformers) {
  for (const json& entry : reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const Folder folder(entry["files"]);
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    EXPECT_EQ(tokenizer->vocab_size(), entry["vocab_size"].get<int64_t>());
    size_t compared = 0;
    for (const json& wanted : entry["cases"]) {
      SCOPED_TRACE(wanted.dump());
      tokenizer->set_truncation(wanted["max_length"], wanted["side"]);
      const Encoding got = encode(*tokenizer, wanted);
      ASSERT_EQ(got.ids, wanted["ids"].get<std::vector<int32_t>>());
      ASSERT_EQ(segments_of(got), wanted["segments"].get<std::string>());
      ++compared;
    }
    EXPECT_GT(compared, 80u);
  }
}

TEST(Tokenizer, CutsWordsAsTransformersDoes) {
  const auto lists = reference()["word_lists"].get<std::vector<std::vector<std::string>>>();
  for (const json& entry : reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const Folder folder(entry["files"]);
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    ASSERT_GT(entry["word_cases"].size(), 100u);
    for (const json& wanted : entry["word_cases"]) {
      SCOPED_TRACE(wanted.dump());
      tokenizer->set_truncation(wanted["max_length"], wanted["side"]);
      const auto got = tokenizer->encode_words({lists[wanted["first"]]});
      ASSERT_EQ(got[0].ids, wanted["ids"].get<std::vector<int32_t>>());
      ASSERT_EQ(got[0].words, wanted["words"].get<std::vector<int32_t>>());
      ASSERT_EQ(got[0].segments.size(), got[0].ids.size());
    }
    tokenizer->set_truncation(8, "right");
    const auto batch = tokenizer->encode_words(lists);
    for (size_t i = 0; i < lists.size(); ++i) {
      const Encoding alone = tokenizer->encode_words({lists[i]})[0];
      ASSERT_EQ(batch[i].ids, alone.ids);
      ASSERT_EQ(batch[i].words, alone.words);
    }
    EXPECT_TRUE(tokenizer->encode_words({}).empty());
  }
}

TEST(Tokenizer, GivesTheSameInBatchesAndFromSeveralThreads) {
  const Folder folder(files_of("byte-level BPE"));
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  tokenizer->set_truncation(9, "right");
  std::vector<std::string> texts;
  for (size_t i = 0; i < reference()["texts"].size(); ++i) texts.push_back(text_of(i));
  const std::vector<std::string_view> first(texts.begin(), texts.end()), second(texts.rbegin(), texts.rend());

  const auto check = [&] {
    const auto alone = tokenizer->encode_batch(first), pairs = tokenizer->encode_batch(first, second);
    for (size_t i = 0; i < first.size(); ++i) {
      ASSERT_EQ(alone[i].ids, tokenizer->encode(first[i]).ids);
      ASSERT_EQ(pairs[i].ids, tokenizer->encode_pair(first[i], second[i]).ids);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(check);
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(tokenizer->encode_batch({}).empty());
}

TEST(Tokenizer, TellsWhatWasCutOff) {
  const Folder folder(files_of("vocab.txt, uncased"));
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  tokenizer->set_truncation(5, "right");
  const auto batch = tokenizer->encode_batch({"the dog", "the lazy dog", "the lazy lazy dog"});
  EXPECT_EQ(batch[1].full_length, 5);
  EXPECT_FALSE(batch[1].truncated);
  EXPECT_EQ(batch[2].full_length, 6);
  EXPECT_TRUE(batch[2].truncated);
  EXPECT_EQ(batch[2].ids.size(), 5u);
}

// Cutting two long texts takes transformers quadratic time and memory.
TEST(Tokenizer, CutsPairsOfLongTextsInLinearTime) {
  const Folder folder(files_of("vocab.txt, uncased"));
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  tokenizer->set_truncation(5, "left");
  std::string text;
  while (text.size() < 1 << 18) text += "the lazy dog ";
  const Encoding pair = tokenizer->encode_pair(text, text);
  EXPECT_EQ(pair.ids.size(), 5u);
  EXPECT_GT(pair.full_length, 100000);
}

TEST(Tokenizer, ItsJsonIsATokenizerWithTheSameDigest) {
  for (const json& entry : reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const Folder folder(entry["files"]);
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    const Folder copy(json{{"tokenizer.json", tokenizer->to_json()}});
    const auto again = Tokenizer::from_directory(copy.path());
    EXPECT_EQ(again->sha256(), tokenizer->sha256());
    EXPECT_EQ(again->sha256(), sha256(tokenizer->to_json()));
    for (size_t i = 0; i < reference()["texts"].size(); ++i) {
      ASSERT_EQ(again->encode(text_of(i)).ids, tokenizer->encode(text_of(i)).ids) << i;
    }
  }
}

std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return concat(static_cast<int>(error.code()), ": ", error.what());
  }
  return "nothing was thrown";
}

TEST(Tokenizer, SaysWhatIsWrong) {
  const auto open = [](const json& files) {
    const Folder folder(files);
    std::string message = refusal_of([&] { Tokenizer::from_directory(folder.path()); });
    if (const size_t at = message.find(folder.path()); at != message.npos)
      message.replace(at, folder.path().size(), "DIR");
    return message;
  };
  EXPECT_EQ(
      open({{"readme", ""}}),
      "78: DIR: a tokenizer is wanted, but there is neither tokenizer.json, nor vocab.txt (BERT), nor vocab.json and "
      "merges.txt (RoBERTa), nor source.spm, target.spm and vocab.json (Marian), nor spiece.model (T5, ALBERT, XLNet), "
      "nor spm.model (DeBERTa); copy the "
      "model's tokenizer files there, or let `hf download ORGANISATION/MODEL --local-dir` bring them");
  EXPECT_EQ(
      open({{"vocab.json", "{}"}, {"merges.txt", ""}}),
      "78: DIR: a tokenizer is wanted, but there is neither tokenizer.json, nor vocab.txt (BERT), nor vocab.json and "
      "merges.txt (RoBERTa), nor source.spm, target.spm and vocab.json (Marian), nor spiece.model (T5, ALBERT, XLNet), "
      "nor spm.model (DeBERTa); its "
      "vocab.json, merges.txt cannot be read alone: "
      "AutoTokenizer.from_pretrained(it).save_pretrained(it) writes a tokenizer.json")
      << "nothing says that they are RoBERTa's";
  const std::string roberta = R"({"tokenizer_class": "RobertaTokenizer"})";
  EXPECT_EQ(open({{"vocab.json", R"({"a": 0})"}, {"merges.txt", ""}, {"tokenizer_config.json", roberta}}),
            "79: DIR/vocab.json: no entry is the token '</s>'; is this a RoBERTa vocabulary?");
  EXPECT_EQ(open({{"vocab.json", "{"}, {"merges.txt", ""}, {"tokenizer_config.json", roberta}}),
            "79: DIR/vocab.json, merges.txt: EOF while parsing an object at line 1 column 1");
  EXPECT_EQ(open({{"vocab.json", R"({"</s>": 0, "<s>": 1, "<unk>": 2})"},
                  {"merges.txt", "#version: 0.2\na b c\n"},
                  {"tokenizer_config.json", roberta}}),
            "79: DIR/vocab.json, merges.txt: Merges text file invalid at line 1");
  EXPECT_EQ(open({{"vocab.txt", "a\nb\n"}}),
            "79: DIR/vocab.txt: no line is the token '[UNK]'; is this a BERT vocabulary?");
  EXPECT_EQ(open({{"tokenizer.json", "{"}}),
            "79: DIR/tokenizer.json: not a tokenizer: EOF while parsing an object at line 1 column 1");
  json files = files_of("vocab.txt, uncased");
  files["tokenizer_config.json"] = "[]";
  EXPECT_EQ(open(files), "79: DIR/tokenizer_config.json: wanted a JSON object");
  EXPECT_EQ(refusal_of([] { Tokenizer::from_directory("nowhere"); }), "78: nowhere: no such directory");

  const Folder folder(files_of("vocab.txt, uncased"));
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  EXPECT_EQ(refusal_of([&] { tokenizer->set_truncation(1, "right"); }),
            "78: max_length = 1 has no room for the 2 special tokens of a text");
  tokenizer->set_truncation(2, "error");
  EXPECT_EQ(tokenizer->encode("").ids.size(), 2u);
  EXPECT_EQ(refusal_of([&] { tokenizer->encode("the dog"); }), "79: a text has 4 tokens, max_length is 2");
  EXPECT_EQ(refusal_of([&] { tokenizer->encode_pair("", ""); }),
            "78: max_length = 2 has no room for the 3 special tokens of a pair");
  EXPECT_EQ(refusal_of([&] { tokenizer->encode("\xFF"); }).substr(0, 33), "79: a text is not valid UTF-8: in");
}

// FIPS 180-4's examples, and a file longer than the block that is read at once.
TEST(Sha256, MatchesPublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1'000'000, 'a');
  EXPECT_EQ(sha256(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

  const Folder folder(json{{"a", std::string(3'000'001, 'a')}});
  EXPECT_EQ(sha256_of_file(folder.path() + "/a"), sha256(std::string(3'000'001, 'a')));
  Sha256 pieces;
  for (int i = 0; i < 1000; ++i) pieces.update(std::string(1000, 'a'));
  EXPECT_EQ(pieces.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace sft
