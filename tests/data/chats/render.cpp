// Renders chats for reference.py: a model directory, and on standard input a JSON object a line, {"chat",
// "num_messages", "add_generation_prompt", "date", "template"}. Answers with {"text", "generated"} or {"problem"}, a
// line each.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "data/text/chat_template.h"

int main(int, char** arguments) {
  using nlohmann::json;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json wanted = json::parse(line);
    json answer;
    try {
      const auto chosen = sft::ChatTemplate::find(arguments[1], wanted["template"], wanted["date"]);
      const sft::ChatText chat{wanted["chat"].get<std::string>(), wanted.value("has_tools", false)};
      const sft::ChatPart part{0, wanted["num_messages"], wanted["add_generation_prompt"]};
      const sft::RenderedChat got = chosen->render({chat}, {part})[0];
      answer = {{"text", got.text}, {"generated", got.generated}, {"marks", chosen->marks_generation()}};
      if (!got.problem.empty()) answer = {{"problem", got.problem}};
    } catch (const sft::Error& error) {
      answer = {{"problem", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}
