// A chat template on two chats: it ends, and says what it does not understand.
#include "data/text/chat_template.h"

#include "fuzz/input.h"

SFT_FUZZ(input) {
  using namespace sft;
  fuzz::folder().put("chat_template.jinja", input);
  const std::vector<ChatText> chats = {
      {R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a b"}, {"role": "assistant", "content": "c"}], "tools": null})"},
      {R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "é"}]}], "tools": [{"name": "f", "arguments": {"x": 1.5}}]})",
       true}};
  fuzz::allow_errors([&] {
    const auto chat_template = ChatTemplate::find(fuzz::folder().path(), "", "2026-01-31");
    for (const RenderedChat& chat : chat_template->render(chats, {{0, 2, true}, {0, 3, false}, {1, 1, true}}))
      for (const auto& [first, end] : chat.generated)
        if (first > end || end > chat.text.size()) __builtin_trap();
  });
}
