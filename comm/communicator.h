// What every backend can do. A world of one is a world like any other, so callers never ask
// whether they are distributed. This floor knows no tensors: a buffer is memory and a type.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "comm/work.h"

namespace sft {

enum class Element : uint8_t { u8, i32, i64, f16, bf16, f32, f64 };
size_t bytes_of(Element element);
std::string_view name_of(Element element);

template <class T>
constexpr Element element_of();
template <>
constexpr Element element_of<uint8_t>() {
  return Element::u8;
}
template <>
constexpr Element element_of<int32_t>() {
  return Element::i32;
}
template <>
constexpr Element element_of<int64_t>() {
  return Element::i64;
}
template <>
constexpr Element element_of<float>() {
  return Element::f32;
}
template <>
constexpr Element element_of<double>() {
  return Element::f64;
}

// Memory of the backend's device (host memory for solo, threads and mpi; device memory for nccl),
// borrowed for the call, or until the Work is done.
struct Buffer {
  void* data = nullptr;
  int64_t count = 0;
  Element element = Element::f32;

  size_t bytes() const { return static_cast<size_t>(count) * bytes_of(element); }
  template <class T, size_t extent>
  static Buffer of(std::span<T, extent> values) {
    return {values.data(), static_cast<int64_t>(values.size()), element_of<T>()};
  }
  template <class T>
  static Buffer of(T& value) {
    return {&value, 1, element_of<T>()};
  }
};

enum class Reduction : uint8_t { sum, min, max };
std::string_view name_of(Reduction how);

// Every rank must make the same calls with the same counts, elements and roots, in the same order,
// from one thread at a time. Any size may be 0. In host memory f16 and bf16 are added in f32 and
// rounded once, and a NaN on one rank reaches all; nccl rounds at each hop.
// A failure is a CommError that names rank and operation.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string_view backend() const = 0;  // solo | threads | mpi | nccl

  // Leaves the combination over all ranks in `values` on every rank; the same bits on every rank.
  virtual void all_reduce(Buffer values, Reduction how = Reduction::sum) = 0;

  // As all_reduce by sum, but may return before it is done: `values` is not touched until wait().
  // A backend that cannot overlap does it at once.
  virtual std::unique_ptr<Work> start_all_reduce(Buffer values);
  virtual bool overlaps() const { return false; }  // whether what is started goes on beside its caller's own work

  // `values` holds size() equal shards; leaves the summed shard of this rank in `shard`, in host
  // memory with the bits that all_reduce would leave there. `shard` may be its own place in `values`.
  virtual void reduce_scatter(Buffer values, Buffer shard) = 0;

  // The inverse: leaves every rank's `shard`, in rank order, in `values`. `shard` may be its own
  // place in `values`.
  virtual void all_gather(Buffer shard, Buffer values) = 0;

  // The two as start_all_reduce is to all_reduce: neither buffer is touched until wait().
  virtual std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard);
  virtual std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values);

  virtual void broadcast(Buffer values, int root) = 0;
  virtual void barrier() = 0;

  // A communicator of the ranks that gave the same colour, ordered by key, then rank.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;
};

}  // namespace sft
