#include "comm/combine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "comm/half.h"

namespace sft {
namespace {

// A run of results that stays in the first cache while all parts are added to it.
constexpr int64_t kRun = 2048;

template <class T>
T widen(T value) {
  return value;
}
using sft::widen;

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      using Unsigned = std::make_unsigned_t<T>;  // wraps, where a signed overflow would be undefined
      return static_cast<T>(static_cast<Unsigned>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b)));
    } else {
      return a + b;
    }
  }
};

// A NaN on any rank must reach all: comparisons alone would drop it.
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return b < a || b != b ? b : a;
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || b != b ? b : a;
  }
};

template <class Operation, class Narrow, class Wide>
void combine_typed(std::span<const std::byte* const> parts, Wide* __restrict into, int64_t count) {
  const auto part = [&](size_t p) { return reinterpret_cast<const Narrow*>(parts[p]); };
  const Operation operation;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const int64_t end = std::min(count, begin + kRun);
    const Narrow* first = part(0);
    if (parts.size() == 1) {
      for (int64_t i = begin; i < end; ++i) into[i] = widen(first[i]);
      continue;
    }
    const Narrow* second = part(1);
    for (int64_t i = begin; i < end; ++i) into[i] = operation(widen(first[i]), widen(second[i]));
    for (size_t p = 2; p < parts.size(); ++p) {
      const Narrow* next = part(p);
      for (int64_t i = begin; i < end; ++i) into[i] = operation(into[i], widen(next[i]));
    }
  }
}

template <class Narrow, class Wide = Narrow>
void combine_element(Reduction how, std::span<const std::byte* const> parts, std::byte* into, int64_t count) {
  Wide* out = reinterpret_cast<Wide*>(into);
  switch (how) {
    case Reduction::sum:
      return combine_typed<Sum, Narrow>(parts, out, count);
    case Reduction::min:
      return combine_typed<Min, Narrow>(parts, out, count);
    case Reduction::max:
      return combine_typed<Max, Narrow>(parts, out, count);
  }
}

template <class Narrow>
void narrow_all(const std::byte* wide_values, std::byte* into, int64_t count) {
  const float* from = reinterpret_cast<const float*>(wide_values);
  Narrow* to = reinterpret_cast<Narrow*>(into);
  for (int64_t i = 0; i < count; ++i) narrow(from[i], to[i]);
}

}  // namespace

Element wide(Element element) { return element == Element::f16 || element == Element::bf16 ? Element::f32 : element; }

void combine(Reduction how, Element element, std::span<const std::byte* const> parts, std::byte* into, int64_t count) {
  switch (element) {
    case Element::u8:
      return combine_element<uint8_t>(how, parts, into, count);
    case Element::i32:
      return combine_element<int32_t>(how, parts, into, count);
    case Element::i64:
      return combine_element<int64_t>(how, parts, into, count);
    case Element::f16:
      return combine_element<Float16, float>(how, parts, into, count);
    case Element::bf16:
      return combine_element<BFloat16, float>(how, parts, into, count);
    case Element::f32:
      return combine_element<float>(how, parts, into, count);
    case Element::f64:
      return combine_element<double>(how, parts, into, count);
  }
}

void narrow(Element element, const std::byte* wide_values, std::byte* into, int64_t count) {
  switch (element) {
    case Element::f16:
      return narrow_all<Float16>(wide_values, into, count);
    case Element::bf16:
      return narrow_all<BFloat16>(wide_values, into, count);
    default:
      if (count > 0) std::memcpy(into, wide_values, static_cast<size_t>(count) * bytes_of(element));
  }
}

}  // namespace sft
