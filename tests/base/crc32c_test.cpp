#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace sft {
namespace {

using Crc = uint32_t (*)(const void*, size_t, uint32_t);

// Also by instruction where this processor has none: then that is the table again.
std::vector<Crc> ways() {
  std::vector<Crc> all = {crc32c, crc32c_by_table};
  if (has_crc32c_instruction()) all.push_back(crc32c_by_instruction);
  return all;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, GivesThePublishedAnswersEveryWay) {
  const std::string zeros(32, '\0'), ones(32, '\xFF');
  std::string up(32, '\0');
  std::iota(up.begin(), up.end(), '\0');
  const std::string down(up.rbegin(), up.rend());
  for (const Crc crc : ways()) {
    EXPECT_EQ(crc("123456789", 9, 0), 0xE3069283u);
    EXPECT_EQ(crc(zeros.data(), 32, 0), 0x8A9136AAu);
    EXPECT_EQ(crc(ones.data(), 32, 0), 0x62A8AB43u);
    EXPECT_EQ(crc(up.data(), 32, 0), 0x46DD794Eu);
    EXPECT_EQ(crc(down.data(), 32, 0), 0x113FDB5Cu);
    EXPECT_EQ(crc(nullptr, 0, 0), 0u);
  }
}

TEST(Crc32c, IsTheSameInPiecesAndAtAnyAddress) {
  std::string bytes(1000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37 + i / 7);
  for (const Crc crc : ways()) {
    const uint32_t whole = crc32c_by_table(bytes.data(), bytes.size());
    for (size_t cut = 0; cut <= bytes.size(); cut += 13)
      EXPECT_EQ(crc(bytes.data() + cut, bytes.size() - cut, crc(bytes.data(), cut, 0)), whole) << cut;
    const std::string shifted = "xyz" + bytes;
    EXPECT_EQ(crc(shifted.data() + 3, bytes.size(), 0), whole);
  }
}

TEST(Crc32c, OfPartsGivesThatOfTheWhole) {
  std::string bytes(100'003, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37 + i / 7);
  const uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (const size_t cut : {size_t{0}, size_t{1}, size_t{4096}, size_t{77'777}, bytes.size()})
    EXPECT_EQ(crc32c_of_both(crc32c(bytes.data(), cut), crc32c(bytes.data() + cut, bytes.size() - cut),
                             static_cast<int64_t>(bytes.size() - cut)),
              whole)
        << cut;
}

}  // namespace
}  // namespace sft
