#include "trainer/report/data_uri.h"

#include <gtest/gtest.h>

namespace sft {
namespace {

// The test vectors of RFC 4648 §10.
TEST(DataUri, HasTheBytesInBase64) {
  const auto base64 = [](const char* bytes) { return data_uri("text/plain", bytes); };
  EXPECT_EQ(base64(""), "data:text/plain;base64,");
  EXPECT_EQ(base64("f"), "data:text/plain;base64,Zg==");
  EXPECT_EQ(base64("fo"), "data:text/plain;base64,Zm8=");
  EXPECT_EQ(base64("foo"), "data:text/plain;base64,Zm9v");
  EXPECT_EQ(base64("foob"), "data:text/plain;base64,Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "data:text/plain;base64,Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "data:text/plain;base64,Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "data:text/plain;base64,//79");
}

}  // namespace
}  // namespace sft
