#include "data/native/calls.h"

#include "base/errors.h"

namespace sft {

void check(int status) {
  if (status == SFT_NATIVE_OK) return;
  const sft_bytes error = sft_native_error();
  const std::string message(error.data, error.size);
  if (status == SFT_NATIVE_CONFIG) throw ConfigError(message);
  if (status == SFT_NATIVE_DATA) throw DataError(message);
  throw Error(ExitCode::internal, message);
}

std::vector<sft_bytes> lend(const std::vector<std::string_view>& texts) {
  std::vector<sft_bytes> out;
  out.reserve(texts.size());
  for (const std::string_view text : texts) out.push_back(lend(text));
  return out;
}

std::string taken(sft_text* text) {
  const sft_bytes bytes = sft_text_get(text);
  std::string out(bytes.data, bytes.size);
  sft_text_free(text);
  return out;
}

}  // namespace sft
