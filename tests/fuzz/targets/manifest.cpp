// A manifest whose own checksum is right; one that is read is written and read again the same.
#include "trainer/checkpoint/manifest.h"

#include "base/crc32c.h"
#include "base/text.h"
#include "fuzz/input.h"
#include "fuzz/json_mutator.h"

SFT_FUZZ_JSON(input) {
  using namespace sft;
  std::string body(input.substr(0, input.find_last_of('}')));
  if (!body.empty() && body.back() != ',') body += ",\n";
  const std::string text = concat(body, " \"crc32c\": \"", hex_of(crc32c(body.data(), body.size())), "\"\n}\n");
  fuzz::allow_errors([&] {
    const std::string again = to_text(parse_manifest(text, "manifest.json"));
    if (to_text(parse_manifest(again, "manifest.json")) != again) __builtin_trap();
  });
}
