#include "fuzz/targets/rows.h"

SFT_FUZZ(input) { sft::fuzz::read_rows("rows.jsonl", input); }
