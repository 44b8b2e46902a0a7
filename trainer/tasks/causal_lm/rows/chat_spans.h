// Chats as texts, and which bytes of them are learned.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/prepare/chat_config.h"
#include "data/text/chat_template.h"
#include "trainer/tasks/causal_lm/rows/conversation.h"
#include "trainer/tasks/causal_lm/rows/stop_tokens.h"

namespace sft::causal {

struct ByteSpan {
  size_t begin = 0, end = 0;
};

// Turns that were to be trained and cannot be, by what is wrong.
struct TurnsLeftOut {
  size_t rendered_otherwise = 0;  // the whole text has other words for them than a chat that ends with them
  size_t not_as_asked = 0;        // the template's prompt for an answer is no beginning of what it makes of them
};

struct SpannedText {
  std::string text = {};
  std::vector<ByteSpan> spans = {};  // rising, apart from each other
  TurnsLeftOut left_out = {};
  std::string problem = {};          // not empty: the row cannot be used
};

// What {% generation %} marks where the template has it, a chat's prompt does not say otherwise, and the marks can be
// told apart by turns where not all turns are trained. Else turn i is what `messages` up to i, rendered, has more than
// `messages` before i with the prompt for an answer: both must be beginnings of the whole text. Behind a turn of the
// assistant the prompt is left out where it is none.
// A span ends behind the token that ends the turn, of which there must be one; white space behind that belongs to it
// where `config.train_on_trailing` says so. Where no answers are wanted, a chat that ends with a question gets its
// prompt for an answer, and no spans.
class ChatSpans {
 public:
  // Borrows all. `answers`: each chat has something to be trained.
  ChatSpans(const ChatTemplate& chat_template, const ChatConfig& config, const StopTokens& stops, bool answers)
      : template_(chat_template), config_(config), stops_(stops), answers_(answers) {}

  // One a conversation, all of which are chats.
  std::vector<SpannedText> of(const std::vector<const Conversation*>& chats) const;

 private:
  struct Plan;
  Plan plan_of(const Conversation& chat) const;
  SpannedText spanned(const Conversation& chat, const Plan& plan, const std::vector<RenderedChat>& rendered) const;
  void add_by_prefixes(const Plan& plan, const std::vector<RenderedChat>& rendered, SpannedText& out) const;
  void add_generated(const Plan& plan, const RenderedChat& whole, SpannedText& out) const;
  void settle_ends(const Conversation& chat, SpannedText& out) const;

  const ChatTemplate& template_;
  const ChatConfig& config_;
  const StopTokens& stops_;
  bool answers_;
};

}  // namespace sft::causal
