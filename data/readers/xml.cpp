#include "data/readers/xml.h"

#include <algorithm>
#include <charconv>

#include "base/errors.h"
#include "base/text.h"
#include "data/readers/list_lines.h"

namespace sft {
namespace {

constexpr int kDeepest = 64;

bool is_xml_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

void append_utf8(uint32_t point, std::string& out) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& place) : text_(text), place_(place) {
    text_ = without_byte_order_mark(text_);
  }

  XmlElement document() {
    pass_prolog();
    if (!starts("<")) fail("wanted an element, as <annotation>");
    XmlElement root = element(0);
    pass_prolog();
    if (at_ != text_.size()) fail("something stands behind the last element");
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw DataError(concat(place_, ":", line(), ": ", problem));
  }

  int64_t line() const { return 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'); }
  bool starts(std::string_view word) const { return text_.substr(at_).starts_with(word); }

  void pass_space() {
    while (at_ < text_.size() && is_xml_space(text_[at_])) ++at_;
  }

  // Up to the end of the first `word`.
  std::string_view pass(std::string_view word, const char* what) {
    const size_t end = text_.find(word, at_);
    if (end == text_.npos) fail(concat(what, " does not end; is the file cut off?"));
    const std::string_view passed = text_.substr(at_, end - at_);
    at_ = end + word.size();
    return passed;
  }

  // Comments, instructions, a DOCTYPE and white space.
  void pass_prolog() {
    while (true) {
      pass_space();
      if (starts("<!--"))
        pass("-->", "a comment");
      else if (starts("<?"))
        pass("?>", "an instruction");
      else if (starts("<!DOCTYPE")) {
        if (pass(">", "the DOCTYPE").find('[') != std::string_view::npos)
          fail("its DOCTYPE has declarations, which are not read; take them out");
      } else
        return;
    }
  }

  std::string name() {
    const size_t first = at_;
    while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    if (at_ == first) fail("wanted the name of an element behind '<'");
    return std::string(text_.substr(first, at_ - first));
  }

  // Behind the name, up to the end of the tag; whether it is an empty element's, "/>".
  bool pass_attributes(const std::string& name) {
    while (true) {
      if (at_ >= text_.size()) fail(concat("the tag <", name, "> does not end; is the file cut off?"));
      const char c = text_[at_++];
      if (c == '"' || c == '\'') pass(std::string_view(&c, 1), "an attribute");
      if (c == '<') fail(concat("'<' stands inside the tag <", name, ">"));
      if (c == '>') return text_[at_ - 2] == '/';
    }
  }

  void append_entity(std::string& out) {
    ++at_;
    const std::string_view word = pass(";", "an entity behind '&'");
    for (const auto& [known, letter] : {std::pair{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}})
      if (word == known) return out.push_back(letter);
    const bool is_hex = word.starts_with("#x");
    const std::string_view digits = word.substr(std::min<size_t>(is_hex ? 2 : 1, word.size()));
    uint32_t point = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, is_hex ? 16 : 10);
    if (!word.starts_with('#') || error != std::errc() || end != digits.data() + digits.size() || point > 0x10FFFF)
      fail(concat("&", word.substr(0, 20), "; is no entity that is known: lt, gt, amp, quot, apos, #n"));
    append_utf8(point, out);
  }

  XmlElement element(int depth) {
    if (depth == kDeepest) fail(concat("elements lie more than ", kDeepest, " deep in each other"));
    XmlElement out{.line = line()};
    ++at_;
    out.name = name();
    if (pass_attributes(out.name)) return out;
    while (!starts("</")) {
      if (at_ >= text_.size())
        fail(concat("<", out.name, "> of line ", out.line, " does not end; is the file cut off?"));
      if (starts("<!--")) {
        pass("-->", "a comment");
      } else if (starts("<![CDATA[")) {
        at_ += 9;
        out.text += pass("]]>", "CDATA");
      } else if (starts("<?")) {
        pass("?>", "an instruction");
      } else if (starts("<")) {
        out.children.push_back(element(depth + 1));
      } else if (starts("&")) {
        append_entity(out.text);
      } else {
        out.text.push_back(text_[at_++]);
      }
    }
    at_ += 2;
    const std::string closed = name();
    pass_space();
    if (closed != out.name || !starts(">"))
      fail(concat("</", closed, "> ends what <", out.name, "> of line ", out.line, " began"));
    ++at_;
    const auto first = std::ranges::find_if_not(out.text, is_xml_space);
    out.text.erase(out.text.begin(), first);
    while (!out.text.empty() && is_xml_space(out.text.back())) out.text.pop_back();
    return out;
  }

  std::string_view text_;
  std::string place_;
  size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

XmlElement parse_xml(std::string_view text, const std::string& place) { return Parser(text, place).document(); }

}  // namespace sft
