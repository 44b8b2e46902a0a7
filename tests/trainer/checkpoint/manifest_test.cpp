// The manifest: what is written is read, and what was altered is not.
#include "trainer/checkpoint/manifest.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/errors.h"

namespace sft {
namespace {

Manifest sample() {
  Manifest manifest;
  manifest.run_id = "0123456789abcdef";
  manifest.step = 400;
  manifest.world = 2;
  manifest.state_digest = 0xdeadbeef;
  manifest.settings = {{"optim.learning_rate", 5e-5}, {"data.train_file", "données.jsonl"}};
  manifest.files = {{"model.safetensors", 1000, 0x01020304}, {"optimizer-00001-of-00001.safetensors", 300, 7}};
  manifest.model = {{"weight", "F32", {2, 3}, 24, {{"model.safetensors", 0, 24}}}};
  manifest.optimizer = {{"exp_avg", "F32", {6}, 24, {{"optimizer-00001-of-00001.safetensors", 0, 24}}}};
  return manifest;
}

std::string message_of_manifest(const std::string& text) {
  try {
    parse_manifest(text, "manifest.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Manifest, GivesBackWhatWasWritten) {
  const Manifest manifest = parse_manifest(to_text(sample()), "manifest.json");
  EXPECT_EQ(to_text(manifest), to_text(sample()));
  EXPECT_EQ(manifest.settings, sample().settings);
  EXPECT_EQ(manifest.files[1].crc32c, 7u);
}

// The recipe of docs/checkpoint_format.md, which any language can follow.
TEST(Manifest, EndsWithTheChecksumOfEverythingBeforeItsLastField) {
  const std::string text = to_text(sample());
  const size_t tail = text.rfind(" \"crc32c\"");
  EXPECT_EQ(text.substr(tail), " \"crc32c\": \"" + hex_of(crc32c(text.data(), tail)) + "\"\n}\n");
  EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(Manifest, RefusesEveryAlteredByteAndEveryCut) {
  const std::string text = to_text(sample());
  for (size_t place = 0; place < text.size(); ++place) {
    std::string altered = text;
    altered[place] = static_cast<char>(altered[place] ^ 1);
    ASSERT_NE(message_of_manifest(altered), "") << place;
    ASSERT_NE(message_of_manifest(text.substr(0, place)), "") << place;
  }
}

TEST(Manifest, RefusesSlicesThatDoNotCoverATensorOnce) {
  for (const auto& slices :
       std::vector<std::vector<FileSlice>>{{},
                                           {{"model.safetensors", 0, 20}},
                                           {{"model.safetensors", 4, 20}},
                                           {{"model.safetensors", 0, 16}, {"model.safetensors", 12, 12}},
                                           {{"model.safetensors", 0, 16}, {"model.safetensors", 16, 16}},
                                           {{"absent.safetensors", 0, 24}}}) {
    Manifest manifest = sample();
    manifest.model[0].slices = slices;
    EXPECT_NE(message_of_manifest(to_text(manifest)), "");
  }
}

TEST(Manifest, RefusesNamesThatLeadOutOfTheDirectory) {
  for (const char* name : {"../model.safetensors", "/etc/passwd", "..", ""}) {
    Manifest manifest = sample();
    manifest.files[0].name = name;
    EXPECT_NE(message_of_manifest(to_text(manifest)).find("leads out"), std::string::npos);
  }
}

}  // namespace
}  // namespace sft
