// Attention around the products of LibTorch: rows go to blocks of equal length and back, and scores become
// probabilities, of which some fall.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.cuh"
#include "trainer/models/cuda/philox.cuh"
#include "trainer/models/cuda/reals.cuh"
#include "trainer/models/cuda/seen_keys.cuh"

namespace sft::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int64_t kMostShared = 48 << 10;

// A sequence with one of its heads.
struct Item {
  int64_t sequence, head, query_row;
  int num_queries, num_keys;

  template <class Work>
  __device__ Item(const Work& work, unsigned index) {
    const auto heads = static_cast<unsigned>(work.of.heads);
    sequence = work.of.order[index / heads];
    head = index % heads;
    query_row = work.query_offsets[sequence];
    num_queries = work.query_offsets[sequence + 1] - query_row;
    num_keys = work.of.offsets[sequence + 1] - work.of.offsets[sequence];
  }
};

enum class Way { to_padded, to_packed };

constexpr int64_t kMovesAThread = 8, kMostParts = 1024;

// That of blockIdx.z: an index that a kernel reckons would put its parameters into memory of each thread.
__device__ void* chosen(void* const (&tensors)[DevicePadding::kMost]) {
  static_assert(DevicePadding::kMost == 3);
  return blockIdx.z == 0 ? tensors[0] : blockIdx.z == 1 ? tensors[1] : tensors[2];
}

// Blocks of x share a sequence's rows by y, all heads of them; z is the tensor. C is moved as one, of `in_row` in a
// packed row and `in_head` in a head's.
template <class C, Way way>
__global__ void __launch_bounds__(kThreads) move_rows(DevicePadding work, unsigned in_row, unsigned in_head) {
  const DeviceSequences& of = work.of;
  const int64_t sequence = of.order[blockIdx.x], first = of.offsets[sequence];
  const int64_t real = (of.offsets[sequence + 1] - first) * in_row;
  C* packed = static_cast<C*>(chosen(work.packed)) + first * in_row;
  C* padded = static_cast<C*>(chosen(work.padded)) + blockIdx.x * of.heads * of.length * in_head;
  const int64_t end = way == Way::to_padded ? of.length * in_row : real;
#pragma unroll 4
  for (int64_t i = blockIdx.y * kThreads + threadIdx.x; i < end; i += gridDim.y * kThreads) {
    const unsigned row = static_cast<unsigned>(i) / in_row, column = static_cast<unsigned>(i) % in_row;
    const int64_t place = (column / in_head * of.length + row) * in_head + column % in_head;
    if constexpr (way == Way::to_padded)
      padded[place] = i < real ? packed[i] : C{};
    else
      packed[i] = padded[place];
  }
}

// Calls `body` with a value of the largest type that a head's row is made of.
template <class Body>
void with_widest(int64_t bytes_of_head, Body&& body) {
  if (bytes_of_head % sizeof(uint4) == 0) return body(uint4{});
  if (bytes_of_head % sizeof(uint64_t) == 0) return body(uint64_t{});
  if (bytes_of_head % sizeof(uint32_t) == 0) return body(uint32_t{});
  body(uint16_t{});
}

template <Way way>
void move(const DevicePadding& work) {
  const DeviceSequences& of = work.of;
  if (of.count == 0 || of.length == 0) return;
  size_t bytes = 0;
  with_type(of.type, [&](auto zero) { bytes = of.head_width * sizeof(zero); });
  const Launch launch(of.device);
  with_widest(bytes, [&](auto chunk) {
    const int64_t in_head = bytes / sizeof(chunk), in_row = in_head * of.heads, of_sequence = in_row * of.length;
    const int64_t of_block = kThreads * kMovesAThread,
                  parts = std::min((of_sequence + of_block - 1) / of_block, kMostParts);
    if (of_sequence > UINT32_MAX)
      throw DeviceError(concat("a sequence of ", of.length, " tokens is longer than attention takes on a GPU"));
    const dim3 grid(of.count, parts, work.num_tensors);
    run(launch, move_rows<decltype(chunk), way>, {grid, kThreads}, work, in_row, in_head);
  });
  launch.check("pad");
}

// Which probabilities of this warp's query stay, in shared memory: element place · keys + key. Queries that follow one
// another share what the block draws; of others each warp draws its own.
class KeptKeys {
 public:
  template <class Work>
  __device__ KeptKeys(const Work& work, const Item& item, int first, uint8_t* flags)
      : drops_(work.rate.threshold > 0), scale_(work.rate.scale) {
    if (!drops_) return;
    const int warp = static_cast<int>(threadIdx.x) / 32, query = first + warp;
    if (work.mask.places == nullptr) {
      draw(work, item, int64_t{first} * item.num_keys, int64_t{min(first + kWarps, item.num_queries)} * item.num_keys,
           threadIdx.x, blockDim.x, flags);
      row_ += int64_t{warp} * item.num_keys;
      __syncthreads();
    } else if (query < item.num_queries) {
      const int64_t begin = work.mask.places[item.query_row + query] * item.num_keys;
      draw(work, item, begin, begin + item.num_keys, threadIdx.x % 32, 32, flags + warp * flags_of_row(work.of.length));
      __syncwarp();
    }
  }

  template <class A>
  __device__ A factor(int key) const {
    if (!drops_) return A(1);
    return row_[key] ? A(scale_) : A(0);
  }

  // Of a query by itself: whole groups of bits around those of `keys`.
  static __host__ __device__ int64_t flags_of_row(int64_t keys) {
    return (keys + kBitsGroup - 1) / kBitsGroup * kBitsGroup + kBitsGroup;
  }

 private:
  // The elements begin … end, by `threads` of which this is one.
  template <class Work>
  __device__ void draw(const Work& work, const Item& item, int64_t begin, int64_t end, int thread, int threads,
                       uint8_t* flags) {
    const int64_t first = begin / kBitsGroup * kBitsGroup;
    const int64_t end_block = (end + kBitsGroup - 1) / kBitsGroup * kBlocksAGroup;
    for (int64_t block = first / kBitsGroup * kBlocksAGroup + thread; block < end_block; block += threads) {
      const PhiloxWords words(work.key, static_cast<uint32_t>(block), item.head, work.draws[item.sequence]);
#pragma unroll
      for (int i = 0; i < kPerBlock; ++i) flags[element_of(block, i) - first] = words.keeps(i, work.rate.threshold);
    }
    row_ = flags + (begin - first);
  }

  const uint8_t* row_ = nullptr;
  bool drops_;
  double scale_;
};

template <class Work>
size_t shared_bytes(const Work& work) {
  if (work.rate.threshold == 0) return 0;
  const bool alone = work.mask.places != nullptr;
  const int64_t bytes =
      alone ? kWarps * KeptKeys::flags_of_row(work.of.length) : kWarps * work.of.length + 2 * kBitsGroup;
  if (bytes > kMostShared)
    throw DeviceError(concat("sequences of ", work.of.length,
                             " tokens are longer than dropout of attention takes on a GPU (",
                             (kMostShared / kWarps - 2 * kBitsGroup) / kBitsGroup * kBitsGroup, ")"));
  return static_cast<size_t>(bytes);
}

template <class A>
__device__ A sum_over_warp(A value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, step);
  return value;
}
template <class A>
__device__ A max_over_warp(A value) {
  for (int step = 16; step > 0; step /= 2) value = max(value, __shfl_xor_sync(0xFFFFFFFFu, value, step));
  return value;
}

// Nothing, for a query that only pads.
template <class Work>
__device__ SeenKeys seen_by(const Work& work, const Item& item, int query) {
  if (query >= item.num_queries) return {0, 0};
  return {work.mask, place_of(work.mask, item.query_row, query), item.num_keys};
}

// A warp has one query: threads of a block ask together for what stays.
template <class T>
__global__ void soften(DeviceSoftmax work) {
  using A = Wide<T>;
  uint8_t* const flags = shared_of_launch();
  const Item item(work, blockIdx.x);
  const int first = static_cast<int>(blockIdx.y) * kWarps, query = first + static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32, length = static_cast<int>(work.of.length);
  const KeptKeys kept(work, item, first, flags);
  if (query >= work.queries) return;
  const int64_t row = (static_cast<int64_t>(blockIdx.x) * work.queries + query) * length;
  const SeenKeys seen = seen_by(work, item, query);
  const A scale = A(1) / sqrt(A(work.of.head_width));
  const A* score = static_cast<const A*>(work.scores) + row;
  T *probability = static_cast<T*>(work.probability) + row, *dropped = static_cast<T*>(work.dropped) + row;

  A most = -INFINITY, total = 0;
  for (int k = seen.begin + lane; k < seen.end; k += 32) most = max(most, score[k]);
  most = max_over_warp(most);
  for (int k = seen.begin + lane; k < seen.end; k += 32) total += exp((score[k] - most) * scale);
  total = sum_over_warp(total);
  for (int k = lane; k < length; k += 32) {
    const T value = narrow<T>(seen.has(k) ? exp((score[k] - most) * scale) / total : A(0));
    probability[k] = value;
    if (dropped != probability) dropped[k] = seen.has(k) ? narrow<T>(widen(value) * kept.factor<A>(k)) : value;
  }
}

template <class T>
__global__ void soften_backward(DeviceSoftmaxBackward work) {
  using A = Wide<T>;
  uint8_t* const flags = shared_of_launch();
  const Item item(work, blockIdx.x);
  const int first = static_cast<int>(blockIdx.y) * kWarps, query = first + static_cast<int>(threadIdx.x) / 32,
            lane = static_cast<int>(threadIdx.x) % 32, length = static_cast<int>(work.of.length);
  const KeptKeys kept(work, item, first, flags);
  if (query >= work.queries) return;
  const int64_t row = (static_cast<int64_t>(blockIdx.x) * work.queries + query) * length;
  const SeenKeys seen = seen_by(work, item, query);
  const A scale = A(1) / sqrt(A(work.of.head_width));
  const T* probability = static_cast<const T*>(work.probability) + row;
  const A* d_dropped = static_cast<const A*>(work.d_dropped) + row;
  T *dropped = static_cast<T*>(work.dropped) + row, *d_scores = static_cast<T*>(work.d_scores) + row;

  A product = 0;
  for (int k = seen.begin + lane; k < seen.end; k += 32)
    product += widen(probability[k]) * d_dropped[k] * kept.factor<A>(k);
  product = sum_over_warp(product);
  for (int k = lane; k < length; k += 32) {
    const A factor = seen.has(k) ? kept.factor<A>(k) : A(0), p = widen(probability[k]);
    d_scores[k] = narrow<T>(seen.has(k) ? p * (d_dropped[k] * factor - product) * scale : A(0));
    dropped[k] = narrow<T>(p * factor);
  }
}

template <class Work>
dim3 grid_of(const Work& work) {
  return {static_cast<unsigned>(work.of.count * work.of.heads),
          static_cast<unsigned>((work.queries + kWarps - 1) / kWarps)};
}

}  // namespace

void pad(const DevicePadding& work) { move<Way::to_padded>(work); }
void unpad(const DevicePadding& work) { move<Way::to_packed>(work); }

void softmax(const DeviceSoftmax& work) {
  if (work.of.count == 0 || work.queries == 0 || work.of.length == 0) return;
  const Launch launch(work.of.device);
  with_type(work.of.type, [&](auto zero) {
    run(launch, soften<decltype(zero)>, {grid_of(work), kThreads, shared_bytes(work)}, work);
  });
  launch.check("softmax");
}

void softmax_backward(const DeviceSoftmaxBackward& work) {
  if (work.of.count == 0 || work.queries == 0 || work.of.length == 0) return;
  const Launch launch(work.of.device);
  with_type(work.of.type, [&](auto zero) {
    run(launch, soften_backward<decltype(zero)>, {grid_of(work), kThreads, shared_bytes(work)}, work);
  });
  launch.check("softmax_backward");
}

}  // namespace sft::cuda
