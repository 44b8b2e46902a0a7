#include "trainer/tasks/causal_lm/rows/chat_spans.h"

#include <algorithm>

#include "base/text.h"

namespace sft::causal {
namespace {

constexpr std::string_view kWhite = " \t\r\n";
constexpr size_t kWhole = 0;  // the part that is rendered first

// The turns that are to be trained, by their places.
std::vector<size_t> trained_turns(const Conversation& chat, const std::string& train_on) {
  std::vector<size_t> turns;
  for (size_t i = 0; i < chat.turns.size(); ++i)
    if (chat.turns[i].is_assistant && chat.turns[i].trains) turns.push_back(i);
  if (train_on == "last" && turns.size() > 1) turns.erase(turns.begin(), turns.end() - 1);
  return turns;
}

bool leaves_a_turn_out(const Conversation& chat) {
  return std::ranges::any_of(chat.turns, [](const Turn& turn) { return !turn.trains; });
}

}  // namespace

// Messages `from` … are trained from where `before` ends to where `after` does; parts are counted from the whole text.
// `before` asks for an answer. Behind another turn of the assistant a template may say nothing in front of an answer,
// and `unasked` is without; elsewhere it is `before`.
struct ChatSpans::Plan {
  struct Piece {
    size_t before = 0, unasked = 0, after = 0;
  };
  std::vector<ChatPart> parts;  // the whole chat first
  std::vector<Piece> pieces;
  std::vector<size_t> turns;  // to be trained, where {% generation %} marks them
  bool whole = false;

  // It ends with a question, so what was said before is no target.
  bool asks() const { return parts.front().add_generation_prompt; }
};

ChatSpans::Plan ChatSpans::plan_of(const Conversation& chat) const {
  const size_t count = chat.turns.size();
  Plan plan;
  plan.parts.push_back({0, count, !answers_ && !chat.turns.back().is_assistant});
  if (plan.asks()) return plan;
  const auto piece = [&](size_t first, size_t end) {
    const auto add = [&](size_t num_messages, bool asks) {
      plan.parts.push_back({0, num_messages, asks});
      return plan.parts.size() - 1;
    };
    const size_t before = add(first, true);
    const bool goes_on = first > 0 && chat.turns[first - 1].is_assistant;
    const size_t unasked = goes_on ? add(first, false) : before;
    plan.pieces.push_back({before, unasked, end < count ? add(end, false) : kWhole});
  };
  if (config_.train_on == "all") {
    plan.whole = true;
  } else if (chat.completion_from > 0) {
    if (chat.completion_from < count) piece(chat.completion_from, count);
  } else {
    plan.turns = trained_turns(chat, config_.train_on);
    if (!template_.marks_generation() || leaves_a_turn_out(chat))
      for (const size_t turn : plan.turns) piece(turn, turn + 1);
  }
  return plan;
}

std::vector<SpannedText> ChatSpans::of(const std::vector<const Conversation*>& chats) const {
  std::vector<ChatText> texts;
  std::vector<ChatPart> parts;
  std::vector<Plan> plans;
  for (const Conversation* chat : chats) {
    plans.push_back(plan_of(*chat));
    for (ChatPart part : plans.back().parts) {
      part.chat = texts.size();
      parts.push_back(part);
    }
    texts.push_back(chat->chat);
  }
  std::vector<RenderedChat> rendered = template_.render(texts, parts);
  std::vector<SpannedText> out;
  auto next = rendered.begin();
  for (size_t i = 0; i < chats.size(); ++i) {
    const auto end = next + static_cast<int64_t>(plans[i].parts.size());
    out.push_back(spanned(*chats[i], plans[i], {std::make_move_iterator(next), std::make_move_iterator(end)}));
    next = end;
  }
  return out;
}

SpannedText ChatSpans::spanned(const Conversation& chat, const Plan& plan,
                               const std::vector<RenderedChat>& rendered) const {
  SpannedText out;
  if (!rendered[kWhole].problem.empty()) {
    out.problem = concat("chat template ", template_.name(), ", ", rendered[kWhole].problem);
    return out;
  }
  out.text = rendered[kWhole].text;
  if (plan.asks()) return out;
  if (plan.whole) {
    if (leaves_a_turn_out(chat))
      out.problem = "data.train_on = 'all' trains every turn, and a message says that it is not to be trained";
    out.spans.push_back({0, out.text.size()});
  } else if (!plan.pieces.empty()) {
    add_by_prefixes(plan, rendered, out);
  } else {
    add_generated(plan, rendered[kWhole], out);
  }
  settle_ends(chat, out);
  return out;
}

void ChatSpans::add_by_prefixes(const Plan& plan, const std::vector<RenderedChat>& rendered, SpannedText& out) const {
  const auto begins_the_whole = [&](const RenderedChat& part) {
    return part.problem.empty() && out.text.starts_with(part.text);
  };
  for (const Plan::Piece& piece : plan.pieces) {
    const RenderedChat& after = rendered[piece.after];
    const bool is_asked = begins_the_whole(rendered[piece.before]);
    const RenderedChat& before = rendered[is_asked ? piece.before : piece.unasked];
    if (!begins_the_whole(after))
      ++out.left_out.rendered_otherwise;
    else if (!begins_the_whole(before))
      ++out.left_out.not_as_asked;
    else if (before.text.size() < after.text.size())
      out.spans.push_back({before.text.size(), after.text.size()});
    else
      ++out.left_out.rendered_otherwise;
  }
}

void ChatSpans::add_generated(const Plan& plan, const RenderedChat& whole, SpannedText& out) const {
  for (const auto& [begin, end] : whole.generated)
    if (begin < end) out.spans.push_back({begin, end});
  if (config_.train_on == "last" && plan.turns.size() == 1 && out.spans.size() > 1)
    out.spans.erase(out.spans.begin(), out.spans.end() - 1);
}

// A turn's last token belongs to it, also where the template marks its content alone.
void ChatSpans::settle_ends(const Conversation& chat, SpannedText& out) const {
  const std::string_view text = out.text;
  for (ByteSpan& span : out.spans) {
    const std::string_view said = text.substr(span.begin, span.end - span.begin);
    const size_t last = said.find_last_not_of(kWhite);
    const std::string_view trimmed = last == said.npos ? std::string_view() : said.substr(0, last + 1);
    if (!stops_.at_end_of(trimmed).empty()) {
      if (!config_.train_on_trailing) span.end = span.begin + trimmed.size();
      continue;
    }
    const std::string_view behind = stops_.at_begin_of(text.substr(span.end));
    span.end += behind.size();
    const bool must_end = &span == &out.spans.back() || !template_.marks_generation();
    const bool is_whole_text_of_a_question = config_.train_on == "all" && !chat.turns.back().is_assistant;
    if (behind.empty() && must_end && !is_whole_text_of_a_question && out.problem.empty())
      out.problem = concat("what is trained ends in ",
                           in_quotes(trimmed.substr(trimmed.size() - std::min<size_t>(trimmed.size(), 20))),
                           " and in no special token, so the model would never stop (chat template ", template_.name(),
                           "; the model stops at ", stops_.eos_names(),
                           "). Name another template in data.chat_template, or add the token that ends a turn to the "
                           "tokenizer's special tokens");
  }
}

}  // namespace sft::causal
