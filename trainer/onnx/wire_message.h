// A message in the wire format of protocol buffers: fields, each a number and a value, one behind the other.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sft::onnx {

class WireMessage {
 public:
  WireMessage& number(int field, int64_t value);              // of type int64 or an enum
  WireMessage& real(int field, float value);                  // of type float
  WireMessage& text(int field, std::string_view value);       // of type string or bytes
  WireMessage& message(int field, const WireMessage& value);  // of type message
  // Begins a field of bytes or of a message whose value, so many bytes, stands behind this message.
  WireMessage& open(int field, int64_t bytes);

  const std::string& bytes() const { return bytes_; }
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  void varint(uint64_t value);

  std::string bytes_;
};

}  // namespace sft::onnx
