// Keys and values of the tokens that a decoder has read, block by block, of sequences that go on token by token. A
// sequence holds a slot of a fixed number of rows, so attention reads them where they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

// Rows first … end of a slot that are wanted in another one too.
struct SlotCopy {
  int64_t from = 0, to = 0, first = 0, end = 0;
};

class KeyValueCache {
 public:
  // Room for `slots` sequences of up to `capacity` tokens; memory is taken when a block first keeps something.
  KeyValueCache(int64_t slots, int64_t capacity) : slots_(slots), capacity_(capacity) {}

  // Which sequences the next batch goes on with: [B], slot by slot, and how many tokens of each are kept. `offsets`
  // [B+1] of the batch's rows. std::length_error where a sequence would outgrow its slot.
  void go_on(std::vector<int64_t> slots, std::vector<int64_t> lengths, const std::vector<int64_t>& offsets);

  // The same of what others look at, as targets at their sources: the batch's sequences begin the slots anew, and each
  // of the sequences that look has the slot of `looked_at`, several the same one where they are beams of one sentence.
  void begin(const std::vector<int64_t>& slots, const std::vector<int64_t>& offsets,
             const std::vector<int64_t>& looked_at);

  // Keeps the batch's k and v [N, G · D] of a block behind what its sequences have there.
  struct Kept {
    at::Tensor k, v;  // [slots · capacity, G · D]
    // [B+1], [B]: rows of each sequence, or of each that looks, those of the batch included.
    const std::vector<int64_t>*begins, *ends;
  };
  Kept append(int block, const at::Tensor& k_NC, const at::Tensor& v_NC);

  // In all blocks. No slot is both copied from and copied to.
  void copy(std::span<const SlotCopy> copies);

 private:
  struct Block {
    at::Tensor k, v;
  };

  int64_t slots_, capacity_;
  std::vector<Block> blocks_;
  std::vector<int64_t> begins_, ends_;
  std::vector<int64_t> lengths_;  // of each slot, where others look
  at::Tensor rows_N_;             // int64, on the host: where each row of the batch goes
};

}  // namespace sft
