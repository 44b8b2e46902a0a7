// A file inside a page.
#pragma once

#include <string>
#include <string_view>

namespace sft {

// "data:image/png;base64,…" (RFC 2397, RFC 4648 §4).
std::string data_uri(std::string_view media_type, std::string_view bytes);

}  // namespace sft
