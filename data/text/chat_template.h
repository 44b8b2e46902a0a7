// Chat templates: how a list of messages becomes one text. Rendered by native/, byte for byte as transformers'
// apply_chat_template does.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sft {

// What its template sees of a chat, as the text of a JSON object: "messages", "tools" and any other variables.
struct ChatText {
  std::string json;
  bool has_tools = false;
};

// The first num_messages messages of chat number `chat`, and behind them what asks for an answer, where that is wanted.
struct ChatPart {
  size_t chat = 0;
  size_t num_messages = 0;
  bool add_generation_prompt = false;
};

struct RenderedChat {
  std::string text;
  std::vector<std::pair<size_t, size_t>> generated;  // bytes between {% generation %} and {% endgeneration %}
  std::string problem;                               // not empty: the template refuses, by line and in its own words
};

class ChatTemplate {
 public:
  // Of a model directory: chat_template.jinja, else "chat_template" of tokenizer_config.json, a text or a list of
  // {name, template}, of which "default" is taken and, for chats with tools, "tool_use". `chosen` (data.chat_template)
  // is
  // "", a built-in name or a file. `date` (YYYY-MM-DD) is what strftime_now tells.
  // ConfigError where there is none, listing the built-in names; DataError naming the template, its line and what is
  // wrong there.
  static std::unique_ptr<ChatTemplate> find(const std::string& directory, const std::string& chosen,
                                            const std::string& date);
  virtual ~ChatTemplate() = default;

  // Many at once, on the cores that this process may use. What a template refuses fails its part alone.
  virtual std::vector<RenderedChat> render(const std::vector<ChatText>& chats,
                                           const std::vector<ChatPart>& parts) const = 0;

  virtual bool marks_generation() const = 0;      // {% generation %} stands in it
  virtual bool tells_date() const = 0;            // strftime_now stands in it
  virtual const std::string& name() const = 0;    // for messages: a file, or a built-in name
  virtual const std::string& text() const = 0;    // what an export writes as chat_template.jinja
  virtual const std::string& sha256() const = 0;  // of all that chats are rendered with
};

// The day as strftime_now tells it: YYYY-MM-DD.
std::string today();

}  // namespace sft
