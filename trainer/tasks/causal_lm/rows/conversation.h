// A row read: a chat as its template sees it, or a text of which the end is learned.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/readers/row.h"
#include "data/text/chat_template.h"
#include "trainer/tasks/causal_lm/rows/row_form.h"

namespace sft::causal {

struct Turn {
  bool is_assistant = false;
  bool trains = true;  // no "train": false (also "training", and "weight": 0)
};

struct Conversation {
  const Row* row = nullptr;
  bool is_chat = false;
  float weight = 1.0f;

  // A chat. In `completion_from` is the first message of the completion, 0 where there is no prompt.
  ChatText chat = {};
  std::vector<Turn> turns = {};
  size_t completion_from = 0;

  // No chat: bytes answer_from … are learned.
  std::string text = {};
  size_t answer_from = 0;
};

// Whether a row of this form is framed by a chat template: prompts may be lists of messages, or strings.
bool is_chat(const Row& row, RowForm form);

// Chats bring their messages without the keys that are null, as transformers renders them, and with `tools` and
// `chat_template_kwargs`. `eos` is put behind a completion or a text that does not end in it; "": nothing is.
// `answers`: an answer must be there, and not be empty. BadRow naming row, column and message.
Conversation read_conversation(const Row& row, RowForm form, const std::string& text_column, const std::string& eos,
                               bool answers);

}  // namespace sft::causal
