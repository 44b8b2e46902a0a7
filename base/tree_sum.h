// Sums whose order says nothing about who held which terms.
#pragma once

#include <span>

namespace sft {

// The sum as a balanced binary tree: halves first. At least one term. Runs of a power of two that are
// summed like this apart, and their sums again, give the same bits.
template <class T>
T tree_sum(std::span<const T> terms) {
  if (terms.size() == 1) return terms.front();
  const size_t half = terms.size() / 2;
  return tree_sum<T>(terms.first(half)) + tree_sum<T>(terms.subspan(half));
}

}  // namespace sft
