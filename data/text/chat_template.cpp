// Templates over the C functions of native/. A model with a template for tools has two; each chat goes to one.
#include "data/text/chat_template.h"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/schema.h"
#include "base/text.h"
#include "data/hash/sha256.h"
#include "data/text/built_in_templates.h"
#include "data/text/model_texts.h"
#include "data/native/calls.h"

namespace sft {
namespace {

using nlohmann::json;

struct FreeTemplate {
  void operator()(sft_chat_template* it) const { sft_chat_template_free(it); }
  void operator()(sft_renderings* it) const { sft_renderings_free(it); }
};

// As it was found. `tool_use`: of chats with tools, where they have their own.
struct Source {
  std::string name, text, tool_use = "";
};

using Compiled = std::unique_ptr<sft_chat_template, FreeTemplate>;

Compiled compile(const std::string& name, const std::string& text, const json& tokens, const std::string& date) {
  sft_chat_template* opened = nullptr;
  try {
    check(sft_chat_template_open(lend(text), lend(tokens.dump()), lend(date), &opened));
  } catch (const DataError& error) {
    throw DataError(concat("chat template ", name, ", ", error.what()));
  } catch (const ConfigError& error) {
    throw ConfigError(concat("data.date: ", error.what()));
  }
  return Compiled(opened);
}

std::vector<RenderedChat> copies(const sft_renderings_view& view, size_t count) {
  std::vector<RenderedChat> out(count);
  size_t begin = 0, span = 0;
  for (size_t i = 0; i < count; begin = view.text_ends[i++]) {
    std::string& into = view.failed[i] != 0 ? out[i].problem : out[i].text;
    into.assign(view.text + begin, view.text + view.text_ends[i]);
    for (; span < view.span_ends[i]; ++span)
      out[i].generated.emplace_back(view.spans[2 * span], view.spans[2 * span + 1]);
  }
  return out;
}

class NativeTemplate final : public ChatTemplate {
 public:
  NativeTemplate(Source source, const json& tokens, const std::string& date)
      : source_(std::move(source)), plain_(compile(source_.name, source_.text, tokens, date)) {
    if (!source_.tool_use.empty()) with_tools_ = compile(source_.name + " (tool_use)", source_.tool_use, tokens, date);
    std::string key = concat(source_.text, '\0', source_.tool_use, '\0', tokens.dump());
    if (tells_date()) key += date;
    sha256_ = sft::sha256(key);
  }

  std::vector<RenderedChat> render(const std::vector<ChatText>& chats,
                                   const std::vector<ChatPart>& parts) const override {
    if (!with_tools_) return render_with(*plain_, chats, parts);
    std::vector<ChatPart> sorted[2];
    for (const ChatPart& part : parts) sorted[chats[part.chat].has_tools].push_back(part);
    auto plain = render_with(*plain_, chats, sorted[0]), tools = render_with(*with_tools_, chats, sorted[1]);
    std::vector<RenderedChat> out;
    size_t next[2] = {0, 0};
    for (const ChatPart& part : parts) {
      const bool has_tools = chats[part.chat].has_tools;
      out.push_back(std::move((has_tools ? tools : plain)[next[has_tools]++]));
    }
    return out;
  }

  bool marks_generation() const override {
    return sft_chat_template_marks_generation(plain_.get()) != 0 &&
           (!with_tools_ || sft_chat_template_marks_generation(with_tools_.get()) != 0);
  }
  bool tells_date() const override {
    return (source_.text + source_.tool_use).find("strftime_now") != std::string::npos;
  }
  const std::string& name() const override { return source_.name; }
  const std::string& text() const override { return source_.text; }
  const std::string& sha256() const override { return sha256_; }

 private:
  static std::vector<RenderedChat> render_with(const sft_chat_template& chosen, const std::vector<ChatText>& chats,
                                               const std::vector<ChatPart>& parts) {
    std::vector<sft_bytes> lent;
    for (const ChatText& chat : chats) lent.push_back(lend(chat.json));
    std::vector<sft_chat_part> wanted;
    for (const ChatPart& part : parts) wanted.push_back({part.chat, part.num_messages, part.add_generation_prompt});
    sft_renderings* rendered = nullptr;
    check(sft_chat_template_render(&chosen, lent.data(), lent.size(), wanted.data(), wanted.size(), &rendered));
    const std::unique_ptr<sft_renderings, FreeTemplate> owner(rendered);
    return copies(sft_renderings_get(rendered), parts.size());
  }

  Source source_;
  Compiled plain_, with_tools_;  // the second is null where all chats have one template
  std::string sha256_;
};

std::string list_of_built_in() { return join(built_in_template_names(), ", "); }

Source chosen_source(const std::string& chosen) {
  if (const std::string text = built_in_template(chosen); !text.empty()) return {chosen, text};
  if (!std::filesystem::is_regular_file(chosen))
    throw ConfigError(concat("data.chat_template ", in_quotes(chosen, 400), ": neither a file nor a built-in name (",
                             list_of_built_in(), ")", did_you_mean(chosen, built_in_template_names())));
  return {chosen, content_of(chosen)};
}

// Of a list of {name, template}.
Source named_source(const std::string& file, const json& list) {
  Source source{.name = file, .text = ""};
  StringList names;
  for (const json& entry : list) {
    const std::string name = entry.is_object() ? entry.value("name", "") : "";
    if (name.empty() || !entry.contains("template") || !entry["template"].is_string())
      throw DataError(concat(file, ": chat_template is a list, and an entry has no name or no template"));
    names.push_back(name);
    if (name == "default") source.text = entry["template"];
    if (name == "tool_use") source.tool_use = entry["template"];
  }
  if (source.text.empty())
    throw DataError(concat(file, ": none of its chat templates is named default; there are: ", join(names, ", ")));
  return source;
}

Source found_source(const std::string& directory) {
  const std::string file = directory + "/chat_template.jinja";
  if (const std::string text = content_of(file); !text.empty())
    return {file, text, content_of(directory + "/additional_chat_templates/tool_use.jinja")};
  const std::string config = directory + "/tokenizer_config.json";
  const json settings = object_of(directory, "tokenizer_config.json");
  const auto found = settings.find("chat_template");
  if (found != settings.end() && found->is_array()) return named_source(config, *found);
  if (found != settings.end() && found->is_string()) return {config, found->get<std::string>()};
  throw ConfigError(concat(directory,
                           " has no chat template, neither chat_template.jinja nor one in "
                           "tokenizer_config.json. data.chat_template names a file, or a built-in one: ",
                           list_of_built_in()));
}

}  // namespace

std::unique_ptr<ChatTemplate> ChatTemplate::find(const std::string& directory, const std::string& chosen,
                                                 const std::string& date) {
  return std::make_unique<NativeTemplate>(chosen.empty() ? found_source(directory) : chosen_source(chosen),
                                          special_tokens_of(directory), date);
}

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm local{};
  localtime_r(&now, &local);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &local);
  return text;
}

}  // namespace sft
