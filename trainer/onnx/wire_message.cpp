#include "trainer/onnx/wire_message.h"

#include <bit>
#include <cstring>

namespace sft::onnx {

static_assert(std::endian::native == std::endian::little, "protocol buffers are little-endian, and so is this code");

namespace {

// How a value is written, in the lowest three bits of a field's tag.
constexpr uint64_t kVarint = 0, kLengthAndBytes = 2, kFourBytes = 5;

uint64_t tag(int field, uint64_t way) { return static_cast<uint64_t>(field) << 3 | way; }

}  // namespace

// Seven bits a byte, the lowest first; the eighth says that more follow.
void WireMessage::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

WireMessage& WireMessage::number(int field, int64_t value) {
  varint(tag(field, kVarint));
  varint(static_cast<uint64_t>(value));  // of a number below zero all 64 bits
  return *this;
}

WireMessage& WireMessage::real(int field, float value) {
  varint(tag(field, kFourBytes));
  char four[sizeof value];
  std::memcpy(four, &value, sizeof value);
  bytes_.append(four, sizeof value);
  return *this;
}

WireMessage& WireMessage::open(int field, int64_t bytes) {
  varint(tag(field, kLengthAndBytes));
  varint(static_cast<uint64_t>(bytes));
  return *this;
}

WireMessage& WireMessage::text(int field, std::string_view value) {
  open(field, static_cast<int64_t>(value.size()));
  bytes_.append(value);
  return *this;
}

WireMessage& WireMessage::message(int field, const WireMessage& value) { return text(field, value.bytes()); }

}  // namespace sft::onnx
