#include "fuzz/targets/rows.h"

SFT_FUZZ(input) {
  sft::fuzz::read_rows("rows.csv", input);
  sft::fuzz::read_rows("rows.tsv", input);
  sft::fuzz::read_rows("rows.tsv", input, sft::Quotes::letters);
}
