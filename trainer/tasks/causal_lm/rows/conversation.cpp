#include "trainer/tasks/causal_lm/rows/conversation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/readers/cell_json.h"
#include "trainer/tasks/recipes/cells.h"

namespace sft::causal {
namespace {

using Json = nlohmann::ordered_json;  // templates print objects in the order of their keys
using Kind = Cell::Kind;

bool is_text(const Cell& cell) { return cell.kind == Kind::text || cell.kind == Kind::plain; }

[[noreturn]] void refuse(size_t message, const std::string& what) {
  throw CellProblem{concat("has a message ", message + 1, " that ", what)};
}

bool is_setting(const std::string& key) { return key == "train" || key == "training" || key == "weight"; }

// As others write it: axolotl's "training", and "weight": 0. Another value would be a wish that nobody fulfils.
bool takes_out(const std::string& key, const Cell& value, size_t message) {
  if (!is_setting(key) || value.kind == Kind::null) return false;
  const bool is_weight = key == "weight";
  if (value.kind != (is_weight ? Kind::number : Kind::boolean) || (is_weight && value.text != "0" && value.text != "1"))
    refuse(message, concat("has ", in_quotes(key), ": ", describe(value), "; wanted ",
                           is_weight ? "0 or 1, as a message is trained or not" : "true or false"));
  return value.text == (is_weight ? "0" : "false");
}

std::string role_of_speaker(const std::string& from, size_t message) {
  if (from == "human" || from == "user") return "user";
  if (from == "gpt" || from == "assistant" || from == "model") return "assistant";
  if (from == "system" || from == "tool") return from;
  if (from == "observation" || from == "function_response") return "tool";
  refuse(message, concat("is from ", in_quotes(from), "; wanted human, gpt, system or tool"));
}

bool says_nothing(const Json& message) {
  if (message.contains("tool_calls") && !message["tool_calls"].empty()) return false;
  const auto content = message.find("content");
  if (content == message.end()) return true;
  if (content->is_string()) return content->get<std::string>().find_first_not_of(" \t\r\n") == std::string::npos;
  return content->empty();
}

// transformers fills the newer names of thoughts from the older ones.
void name_thoughts(Json& message) {
  for (const char* name : {"reasoning_content", "thinking", "reasoning"})
    if (message.contains(name)) {
      const Json thoughts = message[name];
      if (!message.contains("thinking")) message["thinking"] = thoughts;
      message["reasoning_content"] = thoughts;
      return;
    }
}

struct Reader {
  Json messages = Json::array();
  std::vector<Turn> turns = {};
  bool answers;

  void read(const Cell& cell, bool may_be_shared) {
    if (cell.kind != Kind::list) throw CellProblem{concat("wanted a list of messages, found ", describe(cell))};
    if (cell.items.empty()) throw CellProblem{"has no message"};
    for (const Cell& item : cell.items) read_message(item, may_be_shared);
  }

  void read_message(const Cell& item, bool may_be_shared) {
    const size_t number = turns.size();
    if (item.kind != Kind::nested) refuse(number, concat("is ", describe(item), " and no object"));
    Json message = Json::object();
    Turn turn;
    for (size_t i = 0; i < item.items.size(); ++i) {
      const Cell& value = item.items[i];
      if (takes_out(item.names[i], value, number)) turn.trains = false;
      if (value.kind != Kind::null && !is_setting(item.names[i])) message[item.names[i]] = json_of(value);
    }
    if (may_be_shared && !message.contains("role")) from_share_gpt(message, number);
    const auto role = message.find("role");
    if (role == message.end() || !role->is_string()) refuse(number, "has no role");
    turn.is_assistant = *role == "assistant";
    if (answers && turn.is_assistant && turn.trains && says_nothing(message)) refuse(number, "is an empty answer");
    name_thoughts(message);
    turns.push_back(turn);
    messages.push_back(std::move(message));
  }

  static void from_share_gpt(Json& message, size_t number) {
    if (!message.contains("from") || !message["from"].is_string()) refuse(number, "has neither from nor role");
    if (!message.contains("value")) refuse(number, "has no value");
    Json named = {{"role", role_of_speaker(message["from"], number)}, {"content", message["value"]}};
    for (const auto& [key, value] : message.items())
      if (key != "from" && key != "value") named[key] = value;
    message = std::move(named);
  }

  void begin_with_system(const Json& content) {
    turns.insert(turns.begin(), Turn{});
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", content}});
  }

  void add(const char* role, std::string content) {
    turns.push_back({std::string_view(role) == "assistant"});
    messages.push_back({{"role", role}, {"content", std::move(content)}});
  }
};

// A list, or its JSON in a string, as tables keep it. `what`: of tools.
Json list_in(const Cell& cell, const char* what) {
  Json list = is_text(cell) ? Json::parse(cell.text, nullptr, /*allow_exceptions=*/false) : json_of(cell);
  if (!list.is_array()) throw CellProblem{concat("wanted a list of ", what, ", found ", describe(cell))};
  return list;
}

void finish_chat(const Row& row, Reader& reader, Conversation& out) {
  Json chat = Json::object();
  if (const Cell* extra = row.find("chat_template_kwargs"); extra != nullptr && extra->kind == Kind::nested)
    read_cell(row, {"", "chat_template_kwargs"}, [&](const Cell& cell) { chat = json_of(cell); });
  if (const Cell* tools = row.find("tools"); tools != nullptr && tools->kind != Kind::null)
    read_cell(row, {"", "tools"}, [&](const Cell& cell) { chat["tools"] = list_in(cell, "tools"); });
  out.chat.has_tools = chat.contains("tools") && !chat["tools"].empty();
  chat["messages"] = std::move(reader.messages);
  out.is_chat = true;
  out.turns = std::move(reader.turns);
  out.chat.json = chat.dump();
}

void require_assistant(const Row& row, const Conversation& out) {
  for (const Turn& turn : out.turns)
    if (turn.is_assistant && turn.trains) return;
  throw BadRow(concat(row.place(), ": the chat has no turn of the assistant that could be trained"));
}

std::string with_end(std::string text, const std::string& eos) { return text.ends_with(eos) ? text : text + eos; }

const std::string& text_of(const Row& row, const char* column) { return read_cell(row, {"", column}, string_in); }

// LLaMA-Factory's column, and Anthropic's key, for what a chat begins with. A message of that role in the chat goes
// before it, as there.
void read_system(const Row& row, Reader& reader) {
  const Cell* system = row.find("system");
  if (system == nullptr || system->kind == Kind::null) return;
  const Json content = system->kind == Kind::list ? json_of(*system) : Json(text_of(row, "system"));  // a list of parts
  if (content.empty() || content == "") return;
  if (reader.messages.empty() || reader.messages.front().value("role", Json()) != "system")
    reader.begin_with_system(content);
}

// Likewise its column of what was said before: a list of [question, answer].
void read_history(const Row& row, Reader& reader) {
  const Cell* history = row.find("history");
  if (history == nullptr || history->kind == Kind::null || (is_text(*history) && history->text.empty())) return;
  read_cell(row, {"", "history"}, [&](const Cell& cell) {
    for (const Json& pair : list_in(cell, "[question, answer]")) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
        throw CellProblem{concat("wanted a list of [question, answer], found in it ", pair.dump())};
      reader.add("user", pair[0].get<std::string>());
      reader.add("assistant", pair[1].get<std::string>());
    }
  });
}

void read_prompt(const Row& row, const std::string& eos, bool answers, Conversation& out) {
  const Cell* prompt = row.find("prompt");
  const Cell* completion = row.find("completion");
  const bool has_answer = completion != nullptr && (answers || completion->kind != Kind::null);
  if (has_answer && (prompt->kind == Kind::list) != (completion->kind == Kind::list))
    throw BadRow(concat(row.place(), ": prompt is ", describe(*prompt), " and completion is ", describe(*completion),
                        "; wanted two strings, or two lists of messages"));
  if (prompt->kind == Kind::list) {
    Reader reader{.answers = answers};
    read_cell(row, {"", "prompt"}, [&](const Cell& cell) { reader.read(cell, false); });
    out.completion_from = reader.turns.size();
    if (has_answer) read_cell(row, {"", "completion"}, [&](const Cell& cell) { reader.read(cell, false); });
    for (size_t i = out.completion_from; i < reader.turns.size(); ++i)
      if (!reader.turns[i].trains)
        throw BadRow(concat(row.place(), ": the completion is what is trained, and a message of it says it is not"));
    finish_chat(row, reader, out);
    return;
  }
  out.text = text_of(row, "prompt");
  out.answer_from = out.text.size();
  if (!has_answer) return;
  const std::string& answer = text_of(row, "completion");
  if (answers && answer.empty()) throw BadRow(concat(row.place(), ": column 'completion' is empty"));
  out.text += with_end(answer, eos);
}

void read_instruction(const Row& row, bool answers, Conversation& out) {
  Reader reader{.answers = answers};
  read_history(row, reader);
  std::string question = text_of(row, "instruction");
  const Cell* input = row.find("input");
  if (input != nullptr && input->kind != Kind::null && !text_of(row, "input").empty())
    question += "\n\n" + text_of(row, "input");
  reader.add("user", std::move(question));
  if (const Cell* output = row.find("output"); output != nullptr && (answers || output->kind != Kind::null)) {
    if (answers && text_of(row, "output").empty()) throw BadRow(concat(row.place(), ": column 'output' is empty"));
    reader.add("assistant", text_of(row, "output"));
  }
  read_system(row, reader);
  finish_chat(row, reader, out);
}

}  // namespace

bool is_chat(const Row& row, RowForm form) {
  if (form != RowForm::prompt_completion) return form != RowForm::text;
  const Cell* prompt = row.find("prompt");
  return prompt != nullptr && prompt->kind == Kind::list;
}

Conversation read_conversation(const Row& row, RowForm form, const std::string& text_column, const std::string& eos,
                               bool answers) {
  Conversation out{.row = &row};
  if (form == RowForm::messages || form == RowForm::conversations) {
    Reader reader{.answers = answers};
    read_cell(row, {"", name_of(form)}, [&](const Cell& cell) { reader.read(cell, form == RowForm::conversations); });
    read_system(row, reader);
    finish_chat(row, reader, out);
    if (answers) require_assistant(row, out);
  } else if (form == RowForm::prompt_completion) {
    read_prompt(row, eos, answers, out);
  } else if (form == RowForm::instruction_output) {
    read_instruction(row, answers, out);
  } else {
    const std::string& text = read_cell(row, {"text_column", text_column}, string_in);
    if (text.empty()) throw BadRow(concat(row.place(), ": column ", in_quotes(text_column), " is empty"));
    out.text = with_end(text, eos);
  }
  return out;
}

}  // namespace sft::causal
