// JSON Lines and documents, compressed.
#include "fuzz/targets/rows.h"

SFT_FUZZ(input) {
  const bool is_gzip = input.size() > 1 && input.substr(1).starts_with("\x1f\x8b");
  sft::fuzz::read_rows(is_gzip ? "rows.json.gz" : "rows.jsonl.zst", input);
}
