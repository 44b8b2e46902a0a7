// A file of SentencePiece written by hand: the few fields that matter, as protocol buffers.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

enum class PieceKind { normal = 1, unknown = 2, control = 3, user_defined = 4 };

struct HandPiece {
  std::string text;
  float score = 0;
  PieceKind kind = PieceKind::normal;
};

inline std::string varint_field(int number, uint64_t value) {
  std::string out(1, static_cast<char>(number << 3));
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}

inline std::string bytes_field(int number, std::string_view bytes) {
  std::string out = varint_field(number, bytes.size());
  out[0] = static_cast<char>(number << 3 | 2);
  return out.append(bytes);
}

inline std::string float_field(int number, float value) {
  std::string out(5, static_cast<char>(number << 3 | 5));
  std::memcpy(out.data() + 1, &value, sizeof value);
  return out;
}

// model_type 1: unigram, 2: bpe.
inline std::string sentencepiece_file(const std::vector<HandPiece>& pieces, uint64_t model_type = 1) {
  std::string out;
  for (const HandPiece& piece : pieces)
    out += bytes_field(1, bytes_field(1, piece.text) + float_field(2, piece.score) +
                              varint_field(3, static_cast<uint64_t>(piece.kind)));
  return out + bytes_field(2, varint_field(3, model_type));
}

// "▁good", "▁day" and letters.
inline std::vector<HandPiece> english_pieces() {
  std::vector<HandPiece> pieces = {{"<unk>", 0, PieceKind::unknown},
                                   {"<s>", 0, PieceKind::control},
                                   {"</s>", 0, PieceKind::control},
                                   {"\u2581good", -2},
                                   {"\u2581day", -2},
                                   {"\u2581", -3}};
  for (char letter = 'a'; letter <= 'z'; ++letter) pieces.push_back({std::string(1, letter), -5});
  return pieces;
}

}  // namespace sft
