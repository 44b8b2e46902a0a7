// What `prepare --show` prints.
#include "trainer/tasks/recipes/shown_sample.h"

#include "chat_model.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/text_classification/recipe.h"

namespace sft {
namespace {

class ShownSample : public ChatModel {
 protected:
  std::string shown(const PrepareReport& report, int64_t i, bool colour = false) {
    const auto dataset = open_dataset(report.shards);
    const auto tokenizer = Tokenizer::from_directory(directory_);
    return shown_sample(*dataset, i, *tokenizer, *tokenizer, colour);
  }
};

TEST_F(ShownSample, MarksWhatIsTrained) {
  const PrepareReport report = prepare({chat({turn("user", "q"), turn("assistant", "yes")}),
                                        chat({turn("user", "q\x1b[2J"), turn("assistant", "n\no")})});
  EXPECT_EQ(shown(report, 0),
            "row 0  25 tokens, 4 trained (16 %), the last is <|im_end|>\n"
            "<|im_start|>user⏎q<|im_end|>⏎<|im_start|>assistant⏎[[yes<|im_end|>]]⏎\n");
  EXPECT_EQ(shown(report, 0, true),
            "row 0  25 tokens, 4 trained (16 %), the last is <|im_end|>\n"
            "<|im_start|>user⏎q<|im_end|>⏎<|im_start|>assistant⏎\x1b[32myes<|im_end|>\x1b[0m⏎\n");
  EXPECT_NE(shown(report, 1).find("[[n⏎o<|im_end|>]]"), std::string::npos);
  EXPECT_EQ(shown(report, 1).find('\x1b'), std::string::npos) << "no text gives orders to a terminal";
}

TEST_F(ShownSample, TellsTheTargetOfOtherTasks) {
  request_.task = "text_classification";
  config_.truncation = "right";
  request_.files = {write("rows.jsonl", R"({"text": "good", "label": "yes"})"
                                        "\n"
                                        R"({"text": "bad", "label": "no"})"
                                        "\n")};
  const auto tokenizer = Tokenizer::from_directory(directory_);
  const PrepareReport report =
      prepare_shards(request_, config_, *text_classification_recipe(request_, config_, tokenizer.get()), alone());
  EXPECT_EQ(shown(report, 0), "row 0  4 tokens\ngood\nlabels: yes\n");
}

}  // namespace
}  // namespace sft
