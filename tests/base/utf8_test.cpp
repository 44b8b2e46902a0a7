// Characters of UTF-8: 1 to 4 bytes, counted as Python counts them, or as JavaScript does.
#include "base/utf8.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace sft {
namespace {

constexpr std::string_view kText = "aé漢😀z";  // 1, 2, 3, 4 and 1 bytes; the smiley is two units of UTF-16

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(num_characters(kText), 5);
  EXPECT_EQ(num_characters(""), 0);
  EXPECT_EQ(num_characters(std::string_view("\0\0", 2)), 2);
}

TEST(Utf8, FindsTheByteOfACharacter) {
  const std::vector<size_t> bytes = {0, 1, 3, 6, 10, 11};
  for (size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(byte_of_character(kText, static_cast<int64_t>(i)), bytes[i]) << "character " << i;
  EXPECT_EQ(byte_of_character(kText, 6), std::nullopt);
  EXPECT_EQ(byte_of_character(kText, -1), std::nullopt);
}

TEST(Utf8, FindsTheByteOfAUnitOfUtf16) {
  EXPECT_EQ(byte_of_utf16_unit(kText, 3), 6u);
  EXPECT_EQ(byte_of_utf16_unit(kText, 4), std::nullopt) << "inside the smiley";
  EXPECT_EQ(byte_of_utf16_unit(kText, 5), 10u);
  EXPECT_EQ(byte_of_utf16_unit(kText, 6), 11u);
  EXPECT_EQ(byte_of_utf16_unit(kText, 7), std::nullopt);
}

TEST(Utf8, TellsWhatItIsInItsPlaceWithTheCure) {
  for (const auto& [bytes, cure] : {std::pair{"\xff\xfe", "iconv -f UTF-16"},
                                    {"\x1f\x8b\x08", "gunzip"},
                                    {"\x28\xb5\x2f\xfd", "unzstd"},
                                    {"PK\x03\x04\xe9", "save the table as CSV"},
                                    {"caf\xe9", "iconv -f LATIN1"}})
    EXPECT_NE(utf8_problem(bytes).find(cure), std::string::npos) << bytes;
}

TEST(Utf8, DecodesAndEncodesEveryCharacter) {
  EXPECT_EQ(characters_of(kText), U"aé漢😀z");
  std::u32string all;
  for (char32_t character = 0; character < 0x110000; ++character)
    if (character < 0xD800 || character > 0xDFFF) all += character;
  const std::string text = utf8_of(all);
  EXPECT_TRUE(is_valid_utf8(text));
  EXPECT_EQ(characters_of(text), all);
}

}  // namespace
}  // namespace sft
