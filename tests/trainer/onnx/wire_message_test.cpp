// The first three are the examples of https://protobuf.dev/programming-guides/encoding, the others are what protoc gives.
#include "trainer/onnx/wire_message.h"

#include <gtest/gtest.h>

namespace sft::onnx {
namespace {

using namespace std::string_literals;

TEST(WireMessage, WritesANumberInBytesOfSevenBits) {
  EXPECT_EQ(WireMessage().number(1, 150).bytes(), "\x08\x96\x01");
}

TEST(WireMessage, WritesTextBehindItsLength) {
  EXPECT_EQ(WireMessage().text(2, "testing").bytes(), "\x12\x07testing");
}

TEST(WireMessage, WritesAMessageAsItsBytes) {
  EXPECT_EQ(WireMessage().message(3, WireMessage().number(1, 150)).bytes(), "\x1a\x03\x08\x96\x01");
}

TEST(WireMessage, WritesANumberBelowZeroInTenBytes) {
  EXPECT_EQ(WireMessage().number(3, -1).bytes(), "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(WireMessage, WritesZeroAndFieldsAboveFifteen) {
  EXPECT_EQ(WireMessage().number(20, 0).bytes(), "\xa0\x01\x00"s);
}

TEST(WireMessage, WritesAFloatInFourBytes) {
  EXPECT_EQ(WireMessage().real(2, 1.5F).bytes(), "\x15\x00\x00\xc0\x3f"s);
}

TEST(WireMessage, OpensAFieldWhoseValueStandsBehindIt) {
  EXPECT_EQ(WireMessage().open(9, 300).bytes() + std::string(300, 'x'), WireMessage().text(9, std::string(300, 'x')).bytes());
}

}  // namespace
}  // namespace sft::onnx
