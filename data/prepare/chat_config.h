// Settings of [data] that only language models read: the trained part of a row, and the rendering of chats as text.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

struct ChatConfig {
  std::string train_on = "assistant";
  bool train_on_trailing = false;
  bool add_eos = true;
  std::string chat_template;
  std::string date;

  static constexpr auto fields() {
    return std::tuple{
        field("train_on", &ChatConfig::train_on,
              "of chats: assistant (every turn of the assistant), last (its last turn), all (the whole text, as TRL "
              "does)",
              one_of("assistant", "last", "all")),
        field("train_on_trailing", &ChatConfig::train_on_trailing,
              "white space that a chat template puts behind the token that ends a turn is trained too"),
        field("add_eos", &ChatConfig::add_eos,
              "the end-of-text token is put behind a completion or a text that does not end in it; chats get none but "
              "their template's"),
        field("chat_template", &ChatConfig::chat_template,
              "a file, or chatml or llama3; \"\": the model's own, chat_template.jinja or in tokenizer_config.json"),
        field("date", &ChatConfig::date, "the day that a chat template's strftime_now tells, 2026-01-31; \"\": today")};
  }
};

}  // namespace sft
