#include "trainer/models/blocks/attention_kernels.h"

#include "trainer/models/blocks/attention_items.h"
#include "trainer/models/blocks/attention_rows.h"
#include "trainer/models/blocks/attention_step.h"
#include "trainer/models/blocks/multiversion.h"
#include "trainer/models/blocks/packed_rows.h"
#include "trainer/models/blocks/small_product.h"

namespace sft {
namespace {

// Keys and values as the products on the way back take them. Where an item is one block they take turns in one buffer,
// which then stays in the nearest cache; else each is packed once.
template <class T>
struct KeyPacks {
  KeyPacks(bool one_block, int64_t size)
      : one(one_block),
        memory(one ? size : 3 * size),
        keys_across(memory.data()),
        values_across(keys_across + (one ? 0 : size)),
        keys(values_across + (one ? 0 : size)) {}
  bool one;
  Scratch<T> memory;
  T *keys_across, *values_across, *keys;
};

template <int Bytes, template <class> class Rows, class T>
inline void forward(const AttentionForward<T>& attention, const AttentionItems& items) {
  const AttentionShape& shape = attention.shape;
  const int64_t width = shape.head_width, channels = shape.heads * width, key_channels = shape.key_heads * width;
  const LargestItem largest(shape, items);
  const int64_t wide = padded<T, Bytes>(width), most = padded<T, Bytes>(largest.keys);
  const int64_t most_queries = Rows<T>::most_queries(largest.queries);
  const bool goes_on = shape.key_ends != nullptr;  // over kept keys
  const int64_t packed = goes_on && largest.queries <= 1 ? 0 : most;
  Scratch<T> keys(width * packed), values(packed * wide), scores(most_queries * most), result(most_queries * wide);
  Rows<T> rows(shape, most, attention.bias);

  for (int64_t index = items.first; index < items.end; index += items.step) {
    const AttentionItem item(shape, index);
    const int64_t key_row = padded<T, Bytes>(item.num_keys);
    const int64_t at_key = item.key_row * key_channels + item.key_head * width;
    const bool is_step = goes_on && item.num_queries <= 1;
    if (!is_step) {
      pack_transposed(attention.k + at_key, key_channels, item.num_keys, width, keys.data(), key_row);
      pack(attention.v + at_key, key_channels, item.num_keys, width, values.data(), wide);
    }

    for (int64_t head = item.first_head; head < item.first_head + item.num_heads; ++head) {
      rows.start(item, head);
      for (int64_t first = 0; first < item.num_queries;) {
        const QueryBlock block = rows.block(item, first);
        const int64_t query_row = item.query_row + first, long_row = padded<T, Bytes>(block.num_keys());
        const int64_t at_query = query_row * channels + head * width;
        const int64_t at_block = at_key + block.keys.begin * key_channels;
        if (is_step)
          products_with_keys<Bytes>(attention.q + at_query, attention.k + at_block, key_channels, block.num_keys(),
                                    width, scores.data());
        else
          product<Bytes>(block.count, long_row, width, Strided<T>{attention.q + at_query, channels, 1},
                         keys.data() + block.keys.begin, key_row, scores.data(), long_row);
        for (int64_t i = 0; i < block.count; ++i) {
          rows.template soften<Bytes>(item, block, i, scores.data() + i * long_row,
                                      attention.norms + ((query_row + i) * shape.heads + head) * 2);
        }
        if (is_step) {
          weighted_values<Bytes>(scores.data(), attention.v + at_block, key_channels, block.num_keys(), width,
                                 attention.out + at_query);
        } else {
          product<Bytes>(block.count, wide, block.num_keys(), Strided<T>{scores.data(), long_row, 1},
                         values.data() + block.keys.begin * wide, wide, result.data(), wide);
          unpack(result.data(), wide, block.count, width, attention.out + at_query, channels);
        }
        first += block.count;
      }
    }
  }
}

// With P the probabilities, m the mask with its scale:
//   dV = (P m)ᵀ dO     dP = m (dO Vᵀ)     dS = P (dP − Σ_j P dP) / √D     dQ = dS K     dK = dSᵀ Q
template <int Bytes, template <class> class Rows, class T>
inline void backward(const AttentionBackward<T>& attention, const AttentionItems& items) {
  const AttentionShape& shape = attention.shape;
  const int64_t width = shape.head_width, channels = shape.heads * width, key_channels = shape.key_heads * width;
  const LargestItem largest(shape, items);
  const int64_t wide = padded<T, Bytes>(width), most = padded<T, Bytes>(largest.keys);
  const int64_t most_queries = Rows<T>::most_queries(largest.queries);
  KeyPacks<T> packs(Rows<T>::kOneBlock, most * wide);
  Scratch<T> tall(most_queries * wide), result(std::max(most, most_queries) * wide);
  Scratch<T> dropped(most_queries * most), d_scores(most_queries * most);
  Rows<T> rows(shape, most, attention.bias, attention.d_bias);

  for (int64_t index = items.first; index < items.end; index += items.step) {
    const AttentionItem item(shape, index);
    const int64_t key_row = padded<T, Bytes>(item.num_keys);
    const int64_t at_key = item.key_row * key_channels + item.key_head * width;
    if (!packs.one || item.num_queries == 0) {
      clear(attention.dk + at_key, key_channels, item.num_keys, width);
      clear(attention.dv + at_key, key_channels, item.num_keys, width);
    }

    for (int64_t head = item.first_head; head < item.first_head + item.num_heads; ++head) {
      rows.start(item, head);
      for (int64_t first = 0; first < item.num_queries;) {
        const QueryBlock block = rows.block(item, first);
        const int64_t query_row = item.query_row + first, long_row = padded<T, Bytes>(block.num_keys());
        const int64_t at_query = query_row * channels + head * width;
        const bool adds = !packs.one || head > item.first_head,
                   again = !packs.one && (first > 0 || head > item.first_head);
        const int64_t at_block = at_key + block.keys.begin * key_channels;
        if (!again)
          pack_transposed(attention.k + at_key, key_channels, item.num_keys, width, packs.keys_across, key_row);
        product<Bytes>(block.count, long_row, width, Strided<T>{attention.q + at_query, channels, 1},
                       packs.keys_across + block.keys.begin, key_row, dropped.data(), long_row);
        if (!again)
          pack_transposed(attention.v + at_key, key_channels, item.num_keys, width, packs.values_across, key_row);
        product<Bytes>(block.count, long_row, width, Strided<T>{attention.d_out + at_query, channels, 1},
                       packs.values_across + block.keys.begin, key_row, d_scores.data(), long_row);
        for (int64_t i = 0; i < block.count; ++i) {
          rows.template soften_backward<Bytes>(item, block, i,
                                               attention.norms + ((query_row + i) * shape.heads + head) * 2,
                                               dropped.data() + i * long_row, d_scores.data() + i * long_row);
        }

        pack(attention.d_out + at_query, channels, block.count, width, tall.data(), wide);
        product<Bytes>(block.num_keys(), wide, block.count, Strided<T>{dropped.data(), 1, long_row}, tall.data(), wide,
                       result.data(), wide);
        (adds ? unpack_adding<T> : unpack<T>)(result.data(), wide, block.num_keys(), width, attention.dv + at_block,
                                              key_channels);

        pack(attention.q + at_query, channels, block.count, width, tall.data(), wide);
        product<Bytes>(block.num_keys(), wide, block.count, Strided<T>{d_scores.data(), 1, long_row}, tall.data(), wide,
                       result.data(), wide);
        (adds ? unpack_adding<T> : unpack<T>)(result.data(), wide, block.num_keys(), width, attention.dk + at_block,
                                              key_channels);

        if (!again) pack(attention.k + at_key, key_channels, item.num_keys, width, packs.keys, wide);
        product<Bytes>(block.count, wide, block.num_keys(), Strided<T>{d_scores.data(), long_row, 1},
                       packs.keys + block.keys.begin * wide, wide, result.data(), wide);
        unpack(result.data(), wide, block.count, width, attention.dq + at_query, channels);
        first += block.count;
      }
    }
  }
}

template <class T>
void attend_any(const AttentionForward<T>& attention, const AttentionItems& items) {
  const bool whole = !attention.shape.masks() && !attention.bias.at;
  on_widest_vectors([&]<int Bytes>() {
    whole ? forward<Bytes, WholeRows>(attention, items) : forward<Bytes, SeenRows>(attention, items);
  });
}

template <class T>
void attend_any_backward(const AttentionBackward<T>& attention, const AttentionItems& items) {
  const bool whole = !attention.shape.masks() && !attention.bias.at;
  on_widest_vectors([&]<int Bytes>() {
    whole ? backward<Bytes, WholeRows>(attention, items) : backward<Bytes, SeenRows>(attention, items);
  });
}

}  // namespace

void attend(const AttentionForward<float>& attention, const AttentionItems& items) { attend_any(attention, items); }
void attend(const AttentionForward<double>& attention, const AttentionItems& items) { attend_any(attention, items); }
void attend_backward(const AttentionBackward<float>& attention, const AttentionItems& items) {
  attend_any_backward(attention, items);
}
void attend_backward(const AttentionBackward<double>& attention, const AttentionItems& items) {
  attend_any_backward(attention, items);
}

}  // namespace sft
