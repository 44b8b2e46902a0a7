// Windows of a question and its context against transformers: windows_reference.json, written by windows_reference.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/errors.h"
#include "base/utf8.h"
#include "data/text/tokenizer.h"
#include "tokenizer_files.h"

namespace sft {
namespace {

const json& windows_reference() {
  static const json content = json::parse(std::ifstream(SFT_TESTS "/data/windows_reference.json"));
  return content;
}

std::unique_ptr<Tokenizer> tokenizer_named(std::string_view name) {
  for (const json& entry : windows_reference()["tokenizers"])
    if (entry["name"] == name) return Tokenizer::from_directory(Folder(entry["files"]).path());
  throw std::out_of_range(std::string(name));
}

ContextWindows windows(const Tokenizer& tokenizer, std::string_view question, std::string_view context,
                       const WindowLimits& limits) {
  return std::move(tokenizer.encode_windows({question}, {context}, limits).front());
}

void expect_equal(const ContextWindow& got, const json& wanted) {
  ASSERT_EQ(got.ids, wanted["ids"].get<std::vector<int32_t>>());
  ASSERT_EQ(got.segments, wanted["segments"].get<std::vector<uint8_t>>());
  ASSERT_EQ(got.first, wanted["first"].get<std::vector<int32_t>>());
  ASSERT_EQ(got.end, wanted["end"].get<std::vector<int32_t>>());
}

TEST(Windows, AreThoseOfTransformers) {
  const auto questions = windows_reference()["questions"].get<std::vector<std::string>>();
  const auto contexts = windows_reference()["contexts"].get<std::vector<std::string>>();
  for (const json& entry : windows_reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto tokenizer = Tokenizer::from_directory(Folder(entry["files"]).path());
    size_t several = 0, none = 0;
    for (const json& wanted : entry["cases"]) {
      SCOPED_TRACE(wanted.dump());
      const WindowLimits limits{wanted["max_length"], wanted["stride"]};
      const auto got = windows(*tokenizer, questions[wanted["question"]], contexts[wanted["context"]], limits);
      const json& all = wanted["windows"];
      ASSERT_EQ(got.windows.size(), all.size());
      ASSERT_EQ(got.problem.empty(), !all.is_null()) << got.problem;
      for (size_t i = 0; i < all.size(); ++i) expect_equal(got.windows[i], all[i]);
      several += all.size() > 1;
      none += all.is_null();
    }
    EXPECT_GE(several, 10u);
    EXPECT_GE(none, 10u);
  }
}

// What is remembered of pieces changes no id: questions come through it, contexts do not.
TEST(Windows, HaveTheIdsOfPairs) {
  for (const json& entry : reference()["tokenizers"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto tokenizer = Tokenizer::from_directory(Folder(entry["files"]).path());
    for (size_t i = 0; i < reference()["texts"].size(); ++i) {
      const std::string text = text_of(i);
      for (int round = 0; round < 2; ++round) {
        const auto got = windows(*tokenizer, text, text, {1 << 20, 0});
        ASSERT_EQ(got.windows.size(), 1u);
        const Encoding pair = tokenizer->encode_pair(text, text);
        ASSERT_EQ(got.windows[0].ids, pair.ids) << "text " << i;
        ASSERT_EQ(got.windows[0].segments, pair.segments) << "text " << i;
      }
    }
  }
}

TEST(Windows, OfOneContextOverlapByTheStrideAndCoverIt) {
  const auto tokenizer = tokenizer_named("BERT");
  std::string context;
  for (int i = 0; i < 200; ++i) context += "the lazy dog é😀 ";
  const auto got = windows(*tokenizer, "who?", context, {32, 7}).windows;
  ASSERT_GT(got.size(), 20u);
  const auto places = [](const ContextWindow& window) {
    std::vector<int32_t> out;
    for (const int32_t first : window.first)
      if (first >= 0) out.push_back(first);
    return out;
  };
  for (size_t i = 0; i + 1 < got.size(); ++i) {
    const auto here = places(got[i]), behind = places(got[i + 1]);
    EXPECT_TRUE(std::equal(here.end() - 7, here.end(), behind.begin()));
    EXPECT_EQ(got[i].ids.size(), 32u);
  }
  EXPECT_EQ(places(got.front()).front(), 0);
  EXPECT_EQ(*std::max_element(got.back().end.begin(), got.back().end.end()), num_characters(context) - 1);
}

TEST(Windows, AreTheSameInBatchesAndFromSeveralThreads) {
  const auto tokenizer = tokenizer_named("RoBERTa");
  const auto texts = windows_reference()["contexts"].get<std::vector<std::string>>();
  std::mt19937 random(1);
  std::vector<std::string_view> questions, contexts;  // runs of one context, and alternating ones
  for (int i = 0; i < 300; ++i) {
    questions.push_back(i % 3 == 0 ? "who?" : "what is it?");
    contexts.push_back(i > 0 && random() % 2 ? contexts.back() : std::string_view(texts[random() % texts.size()]));
  }
  const WindowLimits limits{20, 4};
  const auto check = [&] {
    const auto batch = tokenizer->encode_windows(questions, contexts, limits);
    for (size_t i = 0; i < questions.size(); ++i) {
      const auto alone = windows(*tokenizer, questions[i], contexts[i], limits);
      ASSERT_EQ(batch[i].problem, alone.problem);
      ASSERT_EQ(batch[i].windows.size(), alone.windows.size());
      for (size_t w = 0; w < alone.windows.size(); ++w) {
        ASSERT_EQ(batch[i].windows[w].ids, alone.windows[w].ids);
        ASSERT_EQ(batch[i].windows[w].first, alone.windows[w].first);
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(check);
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(tokenizer->encode_windows({}, {}, limits).empty());
}

TEST(Windows, SayWhyThereAreNone) {
  const auto tokenizer = tokenizer_named("BERT");
  const std::string context(100, '.');
  const auto batch = tokenizer->encode_windows({"? ? ? ? ? ? ?", "?", "?"}, {context, context, "."}, {10, 6});
  EXPECT_EQ(
      batch[0].problem,
      "the question (7 tokens) and 3 special tokens leave no room for the context in max_length = 10; raise it, or "
      "shorten the question");
  EXPECT_EQ(
      batch[1].problem,
      "the question (1 tokens) and 3 special tokens leave 6 of max_length = 10 to the context, but doc_stride = 6 "
      "must be less than that; lower doc_stride, or raise max_length");
  EXPECT_EQ(batch[2].problem, "") << "the stride is no matter to a context that fits";
  EXPECT_EQ(batch[2].windows.size(), 1u);
  EXPECT_TRUE(windows(*tokenizer, "", ".", {3, 0}).windows.empty());
  EXPECT_THROW(windows(*tokenizer, "\xFF", "", {}), DataError);
}

}  // namespace
}  // namespace sft
