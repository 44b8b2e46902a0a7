// The instructions are of Python's pickletools, protocols 2 to 5.
#include <utility>

#include "base/text.h"
#include "trainer/checkpoint/torch_files/unpickler.h"

namespace sft {

bool Unpickler::step() {
  const auto code = static_cast<unsigned char>(take(1)[0]);
  switch (code) {
    case 0x80:  // PROTO
      if (const uint64_t version = number(1); version < 2 || version > 5) wrong(concat("protocol ", version));
      return true;
    case 0x95:  // FRAME
      take(8);
      return true;
    case '.':  // STOP
      return false;
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return true;
    case 'N':  // NONE
      push({});
      return true;
    case 'G':  // BINFLOAT
      take(8);
      push({.number = -1});  // a number that nobody asks for
      return true;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      push({.kind = Kind::boolean, .number = code == 0x88});
      return true;
    case 'J':  // BININT
      push({.kind = Kind::integer, .number = static_cast<int32_t>(number(4))});
      return true;
    case 'K':  // BININT1
    case 'M':  // BININT2
      push({.kind = Kind::integer, .number = static_cast<int64_t>(number(code == 'K' ? 1 : 2))});
      return true;
    case 0x8A: {  // LONG1: little-endian, the last bit is the sign's
      const uint64_t size = number(1);
      if (size > 8) wrong("a number beyond 2^63");
      const uint64_t bits = number(size);
      const auto unused = size == 0 ? 0 : 64 - 8 * size;
      push({.kind = Kind::integer, .number = static_cast<int64_t>(bits << unused) >> unused});
      return true;
    }
    case 'X':   // BINUNICODE
    case 'T':   // BINSTRING, of Python 2
    case 0x8C:  // SHORT_BINUNICODE
    case 'U':   // SHORT_BINSTRING, of Python 2
    case 0x8D:  // BINUNICODE8
      push({.kind = Kind::text, .text = take(number(code == 0x8D ? 8 : code == 'X' || code == 'T' ? 4 : 1))});
      return true;
    case ')':  // EMPTY_TUPLE
      push({.kind = Kind::tuple});
      return true;
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      push_tuple(code - 0x84u);
      return true;
    case 't': {  // TUPLE
      std::vector<Place> items = pop_to_mark();
      push({.kind = Kind::tuple, .items = std::move(items)});
      return true;
    }
    case ']':  // EMPTY_LIST
      push({.kind = Kind::list});
      return true;
    case 'a':    // APPEND
    case 'e': {  // APPENDS
      const std::vector<Place> items = code == 'a' ? std::vector<Place>{pop()} : pop_to_mark();
      if (top().kind != Kind::list) wrong("items go into what is no list");
      top().items.insert(top().items.end(), items.begin(), items.end());
      return true;
    }
    case '}':  // EMPTY_DICT
      push({.kind = Kind::dictionary});
      return true;
    case 's': {  // SETITEM
      const Place value = pop(), key = pop();
      top();
      add_items(stack_.back(), {key, value});
      return true;
    }
    case 'u': {  // SETITEMS
      const std::vector<Place> pairs = pop_to_mark();
      top();
      add_items(stack_.back(), pairs);
      return true;
    }
    case 'q':  // BINPUT
    case 'r':  // LONG_BINPUT
      remember(number(code == 'q' ? 1 : 4));
      return true;
    case 0x94:  // MEMOIZE
      remember(memo_.size());
      return true;
    case 'h':  // BINGET
    case 'j':  // LONG_BINGET
      recall(number(code == 'h' ? 1 : 4));
      return true;
    case 'c': {  // GLOBAL
      const std::string_view module = line();
      push_global(module, line());
      return true;
    }
    case 0x93: {  // STACK_GLOBAL
      const Value name = values_[pop()], module = values_[pop()];
      push_global(module.text, name.text);
      return true;
    }
    case 'Q':  // BINPERSID
      push(storage_of(values_[pop()]));
      return true;
    case 'R':  // REDUCE
      reduce();
      return true;
    case 'b':  // BUILD: the attributes of a dictionary
      pop();
      if (top().kind != Kind::dictionary) wrong("attributes of what is no dictionary");
      return true;
    default:
      --at_;
      wrong(concat("the instruction ", static_cast<int>(code), " is not one that torch.save uses for tensors"));
  }
}

}  // namespace sft
