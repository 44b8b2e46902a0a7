// The arithmetic of a reduction on a CPU: parts of several ranks, combined in rank order, so that
// the result has the same bits whoever computes it.
#pragma once

#include <cstddef>
#include <span>

#include "comm/communicator.h"

namespace sft {

// What an element is combined in: f32 for f16 and bf16, itself for the others.
Element wide(Element element);

// into[i] = parts[0][i] ∘ parts[1][i] ∘ …, left to right; `into` is of wide(element) and overlaps no part.
void combine(Reduction how, Element element, std::span<const std::byte* const> parts, std::byte* into, int64_t count);

// Wide values back to `element`, rounded to nearest even. A copy where both are the same.
void narrow(Element element, const std::byte* wide_values, std::byte* into, int64_t count);

}  // namespace sft
