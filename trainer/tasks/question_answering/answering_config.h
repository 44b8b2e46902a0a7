// How answers are chosen and scored: settings that [eval] lists among its own, named as in transformers' run_qa.py.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct AnsweringConfig {
  int64_t n_best_size = 20;
  int64_t max_answer_length = 30;
  AutoBool version_2_with_negative = AutoBool::automatic;
  double null_score_diff_threshold = 0.0;
  std::string answer_unit = "auto";

  static constexpr auto fields() {
    return std::tuple{
        field("n_best_size", &AnsweringConfig::n_best_size,
              "of answers: starts and ends of a window that are tried in pairs, and answers told of a question",
              at_least(int64_t{1})),
        field("max_answer_length", &AnsweringConfig::max_answer_length, "tokens of an answer", at_least(int64_t{1})),
        field("version_2_with_negative", &AnsweringConfig::version_2_with_negative,
              "whether the empty answer may be given; auto: where a question of the training data has no answer"),
        field("null_score_diff_threshold", &AnsweringConfig::null_score_diff_threshold,
              "the empty answer is given where its score is more than this above the best answer's"),
        field("answer_unit", &AnsweringConfig::answer_unit,
              "what f1 of an answer counts: word (as SQuAD), character (as CMRC 2018); auto: character where half of "
              "the letters of the true answers or more are Chinese or Japanese",
              one_of("auto", "word", "character"))};
  }
};

}  // namespace sft
