// What of a row is trained: the answers, each with the token that ends it, and nothing else.
#include <algorithm>

#include "chat_model.h"
#include "data/hdf5/guard.h"

namespace sft {
namespace {

using Spans = ChatModel;

TEST_F(Spans, TemplatesSeeNumbersAsTheyAreSpelled) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m.content }}{% if m.extra is defined %}{{ m.extra | tojson }}{% endif %}<eos>{% "
        "endfor %}");
  const std::string row = R"({"messages": [{"role": "user", "content": "q", "extra": [1.0, 1, 1e2, 0.5, -3]}, )"
                          R"({"role": "assistant", "content": "yes"}]})";
  EXPECT_EQ(marked(prepare_lines(row)).at(0), "q[1.0, 1, 100.0, 0.5, -3]<eos>[[yes<eos>]]") << "as Python's json does";
}

TEST_F(Spans, AnswersOfAChatAreTrainedWithTheirLastToken) {
  EXPECT_EQ(marked(chat({turn("system", "s"), turn("user", "q"), turn("assistant", "yes"), turn("user", "r"),
                         turn("assistant", "no")})),
            "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n"
            "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n[[no<|im_end|>]]\n");
}

TEST_F(Spans, ALineBreakBehindATurnIsTrainedWhereItIsWanted) {
  config_.chat.train_on_trailing = true;
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes")})),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>\n]]");
}

TEST_F(Spans, TheLastAnswerOrAllIsTrainedWhereItIsWanted) {
  const json row = chat({turn("user", "q"), turn("assistant", "yes"), turn("user", "r"), turn("assistant", "no")});
  config_.chat.train_on = "last";
  EXPECT_EQ(marked(row),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n<|im_start|>user\nr<|im_end|>\n"
            "<|im_start|>assistant\n[[no<|im_end|>]]\n");
  config_.chat.train_on = "all";
  EXPECT_EQ(marked(row),
            "[[<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n<|im_start|>user\nr<|im_end|>\n"
            "<|im_start|>assistant\nno<|im_end|>]]\n");
}

TEST_F(Spans, ATurnIsLeftOutWhereItsMessageSaysSo) {
  for (const json& setting : {json{{"train", false}}, json{{"training", false}}, json{{"weight", 0}}}) {
    json first = turn("assistant", "yes");
    first.update(setting);
    EXPECT_EQ(marked(chat({turn("user", "q"), first, turn("user", "r"), turn("assistant", "no")})),
              "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n<|im_start|>user\nr<|im_end|>\n"
              "<|im_start|>assistant\n[[no<|im_end|>]]\n")
        << setting;
  }
}

TEST_F(Spans, AreThoseThatATemplateMarks) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m.role + ': ' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content + "
        "'<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '\\n' }}{% endfor %}");
  const std::vector<json> messages = {turn("user", "q"), turn("assistant", "yes"), turn("user", "r"),
                                      turn("assistant", "no")};
  EXPECT_EQ(marked(chat(messages)), "user: q\nassistant: [[yes<|im_end|>]]\nuser: r\nassistant: [[no<|im_end|>]]\n");
  config_.chat.train_on = "last";
  EXPECT_EQ(marked(chat(messages)), "user: q\nassistant: yes<|im_end|>\nuser: r\nassistant: [[no<|im_end|>]]\n");
}

TEST_F(Spans, ATemplateMayHoldABraceInFrontOfALetterThatIsNotLatin) {
  write("chat_template.jinja",
        "{% if not messages %}{é{ü{% endif %}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}");
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes")})), "q<|im_end|>[[yes<|im_end|>]]");
}

TEST_F(Spans, TakeInTheTokenBehindWhatATemplateMarks) {
  write(
      "chat_template.jinja",
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else "
      "%}{{ m.content }}{% endif %}<|im_end|>{% endfor %}");
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes")})), "q<|im_end|>[[yes<|im_end|>]]");
}

// As Qwen3's, which drops the thoughts of all answers but the last.
TEST_F(Spans, LeaveOutTurnsThatATemplateRendersOtherwiseLater) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m.role + ': ' }}{% if m.role == 'assistant' and not loop.last %}{{ "
        "m.content.split('|')[-1] }}{% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}{% if "
        "add_generation_prompt %}{{ 'assistant: ' }}{% endif %}");
  const PrepareReport report =
      prepare({chat({turn("user", "q"), turn("assistant", "hm|yes"), turn("user", "r"), turn("assistant", "ah|no")})});
  EXPECT_EQ(marked(report).at(0),
            "user: q<|im_end|>assistant: yes<|im_end|>user: r<|im_end|>assistant: [[ah|no<|im_end|>]]");
  int64_t told = 0;
  for (const auto& [what, note] : report.notes)
    if (what.find("renders otherwise") != what.npos) told += note.num_rows;
  EXPECT_EQ(told, 1);
}

// As TRL masks them: a header is no answer, also where an answer stands before it.
TEST_F(Spans, OfTwoAnswersInARowAreTheirContents) {
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes"), turn("assistant", "no")})),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n<|im_start|>assistant\n"
            "[[no<|im_end|>]]\n");
  write("chat_template.jinja",
        "{% for m in messages %}{% if loop.first or m.role != messages[loop.index0 - 1].role %}{{ m.role + ': ' }}"
        "{% endif %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}");
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes"), turn("assistant", "no")})),
            "user: q<|im_end|>assistant: [[yes<|im_end|>]][[no<|im_end|>]]")
      << "a template that has one header for both";
}

// As Qwen3-Thinking's, over answers without thoughts.
TEST_F(Spans, APromptForAnAnswerThatNoAnswerBeginsWithIsToldAsThat) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m.role + ': ' + m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}{{ "
        "'assistant: <think>' }}{% endif %}");
  const PrepareReport report = prepare({chat({turn("user", "q"), turn("assistant", "yes")}),
                                        chat({turn("user", "q"), turn("assistant", "<think>hm yes")})});
  EXPECT_EQ(marked(report).back(), "user: q<|im_end|>assistant: <think>[[hm yes<|im_end|>]]");
  int64_t otherwise = 0, not_as_asked = 0;
  for (const auto& [what, note] : report.notes) {
    if (what.find("renders otherwise") != what.npos) otherwise += note.num_rows;
    if (what.find("do not begin with the chat template's prompt") != what.npos) not_as_asked += note.num_rows;
  }
  EXPECT_EQ(otherwise, 0);
  EXPECT_EQ(not_as_asked, 1);
}

// Columns of LLaMA-Factory's Alpaca and ShareGPT.
TEST_F(Spans, WhatWasSaidBeforeMayStandInColumnsOfItsOwn) {
  const json said = json::array({"q", "yes"});
  const json alpaca = {{"system", "s"}, {"history", json::array({said})}, {"instruction", "r"}, {"output", "no"}};
  const std::string whole =
      "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n"
      "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n[[no<|im_end|>]]\n";
  EXPECT_EQ(marked(alpaca), whole);
  const auto says = [](const char* from, const char* value) { return json{{"from", from}, {"value", value}}; };
  json shared = {{"system", "s"},
                 {"conversations", {says("human", "q"), says("gpt", "yes"), says("human", "r"), says("gpt", "no")}}};
  EXPECT_EQ(marked(shared), whole);
  shared["conversations"].insert(shared["conversations"].begin(), says("system", "t"));
  EXPECT_NE(marked(shared).find("<|im_start|>system\nt<|im_end|>\n<|im_start|>user"), std::string::npos)
      << "a message goes before the column";
  const auto turn_of = [](const char* role, const char* content) { return json{{"role", role}, {"content", content}}; };
  const json keyed = {
      {"system", "s"},
      {"messages",
       {turn_of("user", "q"), turn_of("assistant", "yes"), turn_of("user", "r"), turn_of("assistant", "no")}}};
  EXPECT_EQ(marked(keyed), whole) << "as Anthropic has it";
  EXPECT_EQ(marked(json{{"system", ""}, {"history", json::array()}, {"instruction", "r"}, {"output", "no"}}),
            "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n[[no<|im_end|>]]\n");
  EXPECT_NE(error_of({json{{"history", {"q"}}, {"instruction", "r"}, {"output", "no"}}})
                .find("wanted a list of [question, answer]"),
            std::string::npos);
}

// As openai-community/gpt2 lies on the hub; transformers' GPT2Tokenizer has <|endoftext|> in every role.
TEST_F(Spans, TextsEndInTheTokenOfTheTokenizersClassWhereNoFileNamesIt) {
  std::string tokenizer = character_tokenizer().dump();
  for (size_t at = 0; (at = tokenizer.find("<eos>", at)) != tokenizer.npos;) tokenizer.replace(at, 5, "<|endoftext|>");
  write("tokenizer.json", tokenizer);
  write("tokenizer_config.json", R"({"model_max_length": 1024})");
  write("config.json", R"({"model_type": "gpt2", "vocab_size": 200})");
  write("chat_template.jinja", "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}");
  EXPECT_EQ(marked(json{{"prompt", "q: "}, {"completion", "yes"}}), "q: [[yes<|endoftext|>]]");
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes")})),
            "q<|endoftext|>[[yes<|endoftext|>]]");
  write("tokenizer_config.json", R"({"eos_token": "<|im_end|>"})");
  EXPECT_EQ(marked(json{{"text", "plain"}}), "[[plain<|im_end|>]]") << "a file goes before the class";
}

TEST_F(Spans, TextsEndInWhatTheModelStopsAtWhereTheTokenizerNamesNothing) {
  write("tokenizer_config.json", "{}");
  EXPECT_EQ(marked(json{{"text", "plain"}}), "[[plain<eos>]]") << "eos_token_id of config.json";
  write("config.json", R"({"vocab_size": 200})");
  PrepareReport report = prepare({json{{"text", "plain"}}});
  EXPECT_EQ(marked(report).at(0), "[[plain]]");
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_NE(report.warnings[0].find("no token ends what is trained"), std::string::npos);
  config_.chat.add_eos = false;
  EXPECT_TRUE(prepare({json{{"text", "plain"}}}).warnings.empty()) << "it is meant so";
}

TEST_F(Spans, OfOtherFormsAreTheirAnswers) {
  EXPECT_EQ(marked(json{{"conversations", {{{"from", "human"}, {"value", "q"}}, {{"from", "gpt"}, {"value", "yes"}}}}}),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n");
  EXPECT_EQ(marked(json{{"instruction", "do"}, {"input", "it"}, {"output", "done"}}),
            "<|im_start|>user\ndo\n\nit<|im_end|>\n<|im_start|>assistant\n[[done<|im_end|>]]\n");
  EXPECT_EQ(marked(json{{"instruction", "do"}, {"input", ""}, {"output", "done"}}),
            "<|im_start|>user\ndo<|im_end|>\n<|im_start|>assistant\n[[done<|im_end|>]]\n");
  EXPECT_EQ(marked(json{{"prompt", {turn("user", "q")}}, {"completion", {turn("assistant", "yes")}}}),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n");
  EXPECT_EQ(marked(json{{"prompt", "q: "}, {"completion", "yes"}}), "q: [[yes<eos>]]");
  EXPECT_EQ(marked(json{{"prompt", "q: "}, {"completion", "yes<eos>"}}), "q: [[yes<eos>]]");
  EXPECT_EQ(marked(json{{"text", "plain"}}), "[[plain<eos>]]");
  config_.chat.add_eos = false;
  EXPECT_EQ(marked(json{{"text", "plain"}}), "[[plain]]");
}

TEST_F(Spans, ATokenThatBeginsBeforeTheAnswerIsNotTrained) {
  const PrepareReport report = prepare({json{{"prompt", "xa"}, {"completion", "bc"}}});
  EXPECT_EQ(marked(report).at(0), "xab[[c<eos>]]");
  EXPECT_EQ(
      report.notes.count("rows have a token that begins before what is trained and ends in it; it is not trained"), 1u);
}

TEST_F(Spans, MessagesReachTheTemplateAsTransformersHandsThemOver) {
  write("chat_template.jinja",
        "{% for m in messages %}{{ m | tojson }}{% endfor %}{{ tools | tojson }}{{ style }}<|im_end|>");
  config_.chat.train_on = "all";
  const json row = {{"messages",
                     {{{"role", "user"}, {"content", nullptr}, {"name", "x"}},
                      {{"role", "assistant"}, {"content", "y"}, {"train", true}, {"reasoning", "z"}}}},
                    {"tools", R"([{"b": 1, "a": [true, 2.5]}])"},
                    {"chat_template_kwargs", {{"style", "short"}}}};
  EXPECT_EQ(
      marked(row),
      R"([[{"name": "x", "role": "user"}{"content": "y", "reasoning": "z", "role": "assistant", "thinking": "z", )"
      R"("reasoning_content": "z"}[{"b": 1, "a": [true, 2.5]}]short<|im_end|>]])");
}

TEST_F(Spans, TheDayIsTheOneThatTheConfigSays) {
  write("chat_template.jinja",
        "{{ strftime_now('%d %b %Y') }}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}");
  config_.chat.date = "2026-02-03";
  const json row = chat({turn("user", "q"), turn("assistant", "yes")});
  EXPECT_EQ(marked(row), "03 Feb 2026q<|im_end|>[[yes<|im_end|>]]");
  config_.chat.date = "2026-02-04";
  EXPECT_FALSE(prepare({row}).reused) << "another day makes other rows";
  EXPECT_TRUE(prepare({row}).reused);
  config_.chat.date = "2026-02-31";
  EXPECT_EQ(error_of({row}), "78: data.date: wanted a date such as 2026-01-31, found '2026-02-31'");
}

TEST_F(Spans, TemplatesAreFoundWhereTransformersFindsThem) {
  const json row = chat({turn("user", "q"), turn("assistant", "yes")});
  fs::remove(directory_ / "chat_template.jinja");
  write("tokenizer_config.json",
        R"({"eos_token": "<eos>", "chat_template": "{% for m in messages %}{{ m.content }}<eos>{% endfor %}"})");
  EXPECT_EQ(marked(row), "q<eos>[[yes<eos>]]");
  write(
      "tokenizer_config.json",
      R"({"eos_token": "<eos>", "chat_template": [{"name": "default", "template": "{% for m in messages %}{{ m.content }}<eos>{% endfor %}"},
            {"name": "tool_use", "template": "{% for m in messages %}{{ m.content }}{{ tools[0].name }}<eos>{% endfor %}"}]})");
  json with_tools = row;
  with_tools["tools"] = json::array({{{"name", "+t"}}});
  EXPECT_EQ(marked(std::vector<json>{with_tools, row, with_tools}),
            (std::vector<std::string>{"q+t<eos>[[yes+t<eos>]]", "q<eos>[[yes<eos>]]", "q+t<eos>[[yes+t<eos>]]"}));
  write("chat_template.jinja", "{% for m in messages %}{{ m.content }}<eos>{% endfor %}");
  fs::create_directories(directory_ / "additional_chat_templates");
  write("additional_chat_templates/tool_use.jinja",
        "{% for m in messages %}{{ m.content }}{{ tools[0].name }}<eos>{% endfor %}");
  EXPECT_EQ(marked(std::vector<json>{with_tools, row}),
            (std::vector<std::string>{"q+t<eos>[[yes+t<eos>]]", "q<eos>[[yes<eos>]]"}))
      << "as transformers 5 saves them";
  config_.chat.chat_template = "chatml";
  EXPECT_EQ(marked(row), "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n");
  config_.chat.chat_template =
      write("mine.jinja", "{% for m in messages %}{{ m.role[0] + m.content }}<eos>{% endfor %}");
  EXPECT_EQ(marked(row), "uq<eos>[[ayes<eos>]]");
}

TEST_F(Spans, QuestionsWithoutAnswersAreRowsOfAPrediction) {
  request_.labels_required = false;
  EXPECT_EQ(marked(chat({turn("user", "q")})), "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(marked(chat({turn("user", "q"), turn("assistant", "yes")})),
            "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n[[yes<|im_end|>]]\n");
  EXPECT_EQ(marked(json{{"prompt", "q: "}}), "q: ");
  EXPECT_EQ(marked(json{{"prompt", {turn("user", "q")}}}), "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(marked(json{{"instruction", "q"}}), "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n");
}

TEST_F(Spans, WarnWhereNearlyNothingOrNearlyAllIsTrained) {
  const std::string much(3000, 'x');
  config_.truncation = "right";
  write("config.json", "{}");
  config_.max_length = 4000;
  const PrepareReport little = prepare({json{{"prompt", much}, {"completion", "y"}}});
  ASSERT_EQ(little.warnings.size(), 1u);
  EXPECT_EQ(little.warnings[0],
            "2 of 3,002 tokens are trained, less than 1 %; sft-dist prepare CONFIG --show 3 shows which");
  const PrepareReport nearly_all = prepare({chat({turn("user", "q"), turn("assistant", much.c_str())})});
  ASSERT_EQ(nearly_all.warnings.size(), 1u);
  EXPECT_NE(nearly_all.warnings[0].find("more than 95 %"), std::string::npos);
  EXPECT_EQ(describe(nearly_all, "train").substr(0, 53), "train: 1 rows, 3,022 tokens, 3,001 of them trained (9");
  config_.chat.train_on = "all";
  EXPECT_TRUE(prepare({chat({turn("user", "q"), turn("assistant", much.c_str())})}).warnings.empty());
}

TEST_F(Spans, AreTheSameOnAnyNumberOfRanks) {
  std::string lines;
  for (int i = 0; i < 45000; ++i)
    lines += chat({turn("user", concat("question ", i).c_str()),
                   turn("assistant", concat("answer ", i, " of them all, at some length").c_str())})
                 .dump() +
             "\n";
  request_.files = {write("many.jsonl", lines)};
  const PrepareReport one = run();
  const auto whole = open_dataset(one.shards);
  EXPECT_GT(one.shards.size(), 1u);
  EXPECT_EQ(whole->size(), 45000);
  request_.output_directory = directory_ / "again";
  on_ranks(3, [&](const Peers& peers) {
    const PrepareReport report = run(peers);
    EXPECT_EQ(open_dataset(report.shards)->info().fingerprint, whole->info().fingerprint);
    EXPECT_EQ(report.trained_units, one.trained_units);
  });
}

// Of each form of row: a list of messages is a chat, whatever its column is called.
TEST_F(Spans, ShardsOfChatsSayWhichTemplateFramedThem) {
  const auto names_template = [&](const json& row) {
    const PrepareReport report = prepare(std::vector<json>{row});
    const std::shared_ptr<const GuardedFile> shard = open_guarded(report.shards.front());
    return std::ranges::any_of(shard->layout.attributes, [](const hdf5::Attribute& attribute) {
      return attribute.name == "chat_template_sha256";
    });
  };
  const json question = json::array({turn("user", "q")}), answer = json::array({turn("assistant", "yes")});
  EXPECT_TRUE(names_template(chat({turn("user", "q"), turn("assistant", "yes")})));
  EXPECT_TRUE(names_template(json{{"prompt", question}, {"completion", answer}}));
  EXPECT_TRUE(names_template(json{{"instruction", "q"}, {"output", "yes"}}));
  EXPECT_FALSE(names_template(json{{"prompt", "q"}, {"completion", "yes"}}));
  EXPECT_FALSE(names_template(json{{"text", "yes"}}));
}

}  // namespace
}  // namespace sft
