// What a model's own files say of how its texts are made.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/text/chat_template.h"
#include "data/text/tokenizer.h"
#include "trainer/tasks/causal_lm/rows/row_form.h"
#include "trainer/tasks/causal_lm/rows/stop_tokens.h"

namespace sft::causal {

class ModelFacts {
 public:
  ModelFacts(const DataConfig& config, const Tokenizer& tokenizer);  // borrows the second

  // What went wrong in finding it is thrown here: rows that are no chats need none.
  const ChatTemplate& chat_template() const;

  const StopTokens& stops() const { return stops_; }
  const std::string& eos() const { return eos_; }                         // what is put behind texts; "": nothing
  const std::vector<int32_t>& ids_in_front() const { return in_front_; }  // what the tokenizer puts before a text
  int32_t bos_id() const { return bos_id_; }                              // −1: none
  int64_t max_length() const { return max_length_; }  // data.max_length, or fewer positions that the model has
  int64_t vocab_size() const { return vocab_size_; }  // of the model; 0: not known
  const std::string& date() const { return date_; }
  std::vector<int32_t> stop_ids() const;  // at which a model that was trained so may stop, rising

  // For people: the form of the rows, what of them is trained, by which template.
  std::string described(RowForm form, const ChatConfig& config) const;
  // Likewise of rows that are to be answered.
  std::string asked(RowForm form) const;

  // All that samples follow from.
  nlohmann::json key() const;

 private:
  std::string end_of_turn() const;

  const Tokenizer& tokenizer_;
  StopTokens stops_;
  std::string date_;
  std::unique_ptr<ChatTemplate> template_;  // null: there is none, or it cannot be used
  std::exception_ptr no_template_;          // why
  std::string eos_;
  std::vector<int32_t> in_front_;
  int32_t bos_id_ = -1;
  int64_t max_length_ = 0, vocab_size_ = 0;
};

}  // namespace sft::causal
