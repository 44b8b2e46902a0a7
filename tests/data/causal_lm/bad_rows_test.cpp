// What is wrong with a row is told with its file and line, and with the cure.
#include "chat_model.h"

namespace sft {
namespace {

class BadRows : public ChatModel {
 protected:
  const json good_ = chat({turn("user", "q"), turn("assistant", "yes")});
};

TEST_F(BadRows, ATemplateRefusesInItsOwnWords) {
  write(
      "chat_template.jinja",
      "{% for m in messages %}\n{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}\n{{ raise_exception('Roles must "
      "alternate!') }}{% endif %}{{ m.content }}<eos>{% endfor %}");
  EXPECT_EQ(error_of({good_, chat({turn("user", "q"), turn("user", "r"), turn("assistant", "yes")})}),
            "79: rows.jsonl:2: chat template chat_template.jinja, line 3: the template refuses: Roles must alternate!");
}

TEST_F(BadRows, ATemplateWithoutEndIsEnded) {
  write("chat_template.jinja", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}");
  EXPECT_EQ(error_of({good_}),
            "79: rows.jsonl:1: chat template chat_template.jinja, line 1: takes more than 50000000 steps for one chat");
}

TEST_F(BadRows, ATemplateThatCannotBeReadIsToldByItsLine) {
  write("chat_template.jinja", "{% for m in messages %}\n{% frobnicate %}{% endfor %}");
  EXPECT_EQ(error_of({good_}),
            "79: chat template chat_template.jinja, line 2: syntax error: unknown statement frobnicate");
  EXPECT_EQ(marked(json{{"text", "plain"}}), "[[plain<eos>]]") << "texts need no template";
  write("chat_template.jinja", "{% for m in messages %}\n{{ m.content | frobnicate }}<eos>{% endfor %}");
  EXPECT_EQ(
      error_of({good_}),
      "79: rows.jsonl:1: chat template chat_template.jinja, line 2: unknown filter: filter frobnicate is unknown");
}

TEST_F(BadRows, WithoutATemplateTheBuiltInOnesAreNamed) {
  fs::remove(directory_ / "chat_template.jinja");
  EXPECT_NE(
      error_of({good_}).find("has no chat template, neither chat_template.jinja nor one in tokenizer_config.json. "
                             "data.chat_template names a file, or a built-in one: chatml, llama3"),
      std::string::npos);
  config_.chat.chat_template = "chatlm";
  EXPECT_EQ(
      error_of({good_}),
      "78: data.chat_template 'chatlm': neither a file nor a built-in name (chatml, llama3) (did you mean 'chatml'?)");
}

TEST_F(BadRows, ATurnThatEndsInNoStopTokenIsRefused) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ "
        "'assistant: ' }}{% endif %}");
  EXPECT_EQ(
      error_of({good_}),
      "79: rows.jsonl:1: what is trained ends in 'yes' and in no special token, so the model would never stop (chat "
      "template chat_template.jinja; the model stops at <eos>). Name another template in data.chat_template, or add "
      "the token that ends a turn to the tokenizer's special tokens");
}

TEST_F(BadRows, ChatsNeedAnAnswer) {
  EXPECT_EQ(error_of({chat({turn("user", "q")})}),
            "79: rows.jsonl:1: the chat has no turn of the assistant that could be trained");
  EXPECT_EQ(error_of({chat({turn("user", "q"), turn("assistant", " \n")})}),
            "79: rows.jsonl:1: column 'messages' has a message 2 that is an empty answer");
  EXPECT_EQ(error_of({json{{"prompt", "q"}, {"completion", ""}}}), "79: rows.jsonl:1: column 'completion' is empty");
  EXPECT_EQ(error_of({json{{"instruction", "q"}, {"output", ""}}}), "79: rows.jsonl:1: column 'output' is empty");
}

TEST_F(BadRows, AreCountedWhereTheConfigSaysSo) {
  config_.on_bad_row = "skip";
  const PrepareReport report = prepare({good_, chat({turn("user", "q")}), json{{"text", "x"}}, good_});
  EXPECT_EQ(report.num_samples, 2);
  EXPECT_EQ(report.bad_rows, 2);
}

TEST_F(BadRows, MessagesAreObjectsWithARole) {
  EXPECT_EQ(error_of({json{{"messages", "hello"}}}),
            "79: rows.jsonl:1: column 'messages' wanted a list of messages, found 'hello'");
  EXPECT_EQ(error_of({json{{"messages", json::array()}}}), "79: rows.jsonl:1: column 'messages' has no message");
  EXPECT_EQ(error_of({json{{"messages", {"hello"}}}}),
            "79: rows.jsonl:1: column 'messages' has a message 1 that is 'hello' and no object");
  EXPECT_EQ(error_of({json{{"messages", {{{"content", "x"}}}}}}),
            "79: rows.jsonl:1: column 'messages' has a message 1 that has no role");
  EXPECT_EQ(error_of({json{{"conversations", {{{"from", "robot"}, {"value", "x"}}}}}}),
            "79: rows.jsonl:1: column 'conversations' has a message 1 that is from 'robot'; wanted human, gpt, system "
            "or tool");
}

TEST_F(BadRows, WhatTemplatesCannotBeGivenIsRefused) {
  const auto with = [](const std::string& value) {
    return R"({"messages": [{"role": "user", "content": "q", "extra": )" + value +
           R"(}, {"role": "assistant", "content": "yes"}]})";
  };
  const std::string place = "79: rows.jsonl:1: column 'messages' ";
  const std::string deep(40, '['), up(40, ']');
  EXPECT_EQ(error_of_lines(with(deep + up)),
            place + "is nested deeper than 32 levels, or of a kind that is not read (a map, a union)");
  EXPECT_EQ(error_of_lines(with("18446744073709551616")),
            place + "holds the number 18446744073709551616, which 64 bits do not hold");
}

TEST_F(BadRows, WishesForAMessageThatNobodyFulfilsAreRefused) {
  const auto wished = [](const char* key, const json& value) {
    json answer = turn("assistant", "yes");
    answer[key] = value;
    return chat({turn("user", "q"), answer});
  };
  const std::string place = "79: rows.jsonl:1: column 'messages' has a message 2 that has ";
  EXPECT_EQ(error_of({wished("weight", 0.5)}),
            place + "'weight': the number 0.5; wanted 0 or 1, as a message is trained or not");
  EXPECT_EQ(error_of({wished("train", "false")}), place + "'train': 'false'; wanted true or false");
  json answer = turn("assistant", "yes");
  answer["train"] = false;
  EXPECT_EQ(error_of({json{{"prompt", {turn("user", "q")}}, {"completion", {answer}}}}),
            "79: rows.jsonl:1: the completion is what is trained, and a message of it says it is not");
}

TEST_F(BadRows, APromptNeedsACompletion) {
  EXPECT_EQ(
      error_of({json{{"prompt", "q"}, {"complete", "yes"}}}),
      "79: rows.jsonl:1: has a prompt and no completion; the row has: 'complete', 'prompt' (did you mean 'complete'?)");
  EXPECT_EQ(error_of({json{{"prompt", "q"}, {"completion", {turn("assistant", "yes")}}}}),
            "79: rows.jsonl:1: prompt is 'q' and completion is an array; wanted two strings, or two lists of "
            "messages");
}

TEST_F(BadRows, FormsAreNotMixed) {
  EXPECT_EQ(
      error_of({good_, good_, json{{"text", "plain"}}}),
      "79: rows.jsonl:3: has text, and the first row of the files, rows.jsonl:1, has messages; rows of one form go "
      "into one run");
  EXPECT_EQ(
      error_of({json{{"body", "plain"}}}),
      "79: rows.jsonl:1: wanted messages, conversations, prompt and completion, instruction and output, or 'text' "
      "(data.text_column); the row has: 'body'");
}

TEST_F(BadRows, ATokenThatTheModelDoesNotKnowIsNamed) {
  write("config.json", R"({"eos_token_id": 2, "vocab_size": 90})");
  EXPECT_EQ(
      error_of({json{{"text", "a~"}}}),
      "79: rows.jsonl:1: token '~' has the id 98, and the model knows 90 tokens (the tokenizer 101). The model is not "
      "enlarged: its vocab_size in config.json and its embeddings must have a row for each token");
}

TEST_F(BadRows, TwoBeginningsAreTooMany) {
  EXPECT_EQ(error_of({json{{"text", "<bos><bos>x"}}}),
            "79: rows.jsonl:1: begins with '<bos>' twice, of which one stands in the text and one is put there");
}

}  // namespace
}  // namespace sft
