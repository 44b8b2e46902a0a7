// What callers of native/ share: texts lent to it, its statuses as errors, its texts taken over.
#pragma once

#include <sft_native.h>

#include <string>
#include <string_view>
#include <vector>

namespace sft {

// ConfigError, DataError or an internal error with what sft_native_error() says; nothing where all is well.
void check(int status);

inline sft_bytes lend(std::string_view text) { return {text.data(), text.size()}; }
std::vector<sft_bytes> lend(const std::vector<std::string_view>& texts);

// A copy; the text is freed.
std::string taken(sft_text* text);

}  // namespace sft
