#include "data/readers/cell_json.h"

#include "base/text.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Cell::Kind;

// 1.0 stays a real number: templates print it as such.
Json number_in(const Cell& cell) {
  Json number = Json::parse(cell.text, nullptr, false);
  if (number.is_discarded()) throw CellProblem{concat("holds ", describe(cell), ", which JSON does not have")};
  if (cell.is_real) return number.get<double>();
  if (!number.is_number_integer()) throw CellProblem{concat("holds ", describe(cell), ", which 64 bits do not hold")};
  return number;
}

// An object or array of which the reader kept all; an empty one lost nothing.
void require_whole(const Cell& cell) {
  if (cell.is_cut) throw CellProblem{"is nested deeper than 32 levels, or of a kind that is not read (a map, a union)"};
}

}  // namespace

Json json_of(const Cell& cell) {
  switch (cell.kind) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return cell.text == "true";
    case Kind::number:
      return number_in(cell);
    case Kind::text:
    case Kind::plain:
      return cell.text;
    case Kind::bytes:
      throw CellProblem{concat("has ", describe(cell))};
    case Kind::nested: {
      require_whole(cell);
      Json object = Json::object();
      for (size_t i = 0; i < cell.items.size(); ++i) object[cell.names[i]] = json_of(cell.items[i]);
      return object;
    }
    case Kind::list: {
      require_whole(cell);
      Json list = Json::array();
      for (const Cell& item : cell.items) list.push_back(json_of(item));
      return list;
    }
  }
  return nullptr;
}

}  // namespace sft
