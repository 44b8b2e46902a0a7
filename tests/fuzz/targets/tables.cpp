// Parquet and Arrow, as what the input begins with says.
#include "fuzz/targets/rows.h"

SFT_FUZZ(input) {
  const bool is_parquet = input.size() > 1 && input.substr(1).starts_with("PAR1");
  sft::fuzz::read_rows(is_parquet ? "rows.parquet" : "rows.arrow", input);
}
