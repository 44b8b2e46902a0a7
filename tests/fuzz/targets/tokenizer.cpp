// A tokenizer.json, and what it makes of texts: ids that the vocabulary has.
#include "data/text/tokenizer.h"

#include "fuzz/json_mutator.h"
#include "fuzz/targets/texts.h"

SFT_FUZZ_JSON(input) {
  sft::fuzz::folder().put("tokenizer.json", input);
  sft::fuzz::cut_texts(sft::fuzz::folder().path());
}
