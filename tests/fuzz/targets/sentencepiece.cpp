// A model of SentencePiece, read by both who read one: Marian's own, and T5's.
#include "fuzz/targets/texts.h"

SFT_FUZZ(input) {
  using namespace sft;
  static const auto marian = fuzz::folder().below("marian"), t5 = fuzz::folder().below("t5");
  static const bool made = [] {
    marian.put("vocab.json", R"({"</s>": 0, "<unk>": 1, "▁good": 2, "▁day": 3, "▁": 4, "a": 5, "b": 6, "<pad>": 7})");
    marian.put("config.json", R"({"model_type": "marian", "decoder_start_token_id": 7})");
    t5.put("config.json", R"({"model_type": "t5"})");
    return true;
  }();
  (void)made;
  marian.put("source.spm", input);
  marian.put("target.spm", input);
  t5.put("spiece.model", input);
  fuzz::cut_texts(marian.path());
  fuzz::cut_texts(t5.path());
  fuzz::allow_errors([&] {
    const auto targets = Tokenizer::of_targets(marian.path());
    if (targets) fuzz::expect_ids_of(*targets, targets->encode("good day ab").ids);
  });
}
