// Members of JSON objects that others wrote: of the type that is wanted, or an error that names them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

// `otherwise` where the object has no such member, or null. DataError "WHERE: KEY is 5; …" where it is of another type.
template <class Value>
Value member(const nlohmann::json& object, const char* key, const Value& otherwise, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return otherwise;
  const nlohmann::json like = otherwise;
  const bool fits = like.is_number() ? found->is_number() && (like.is_number_float() || found->is_number_integer())
                                     : found->type() == like.type();
  if (!fits) throw DataError(concat(where, ": ", key, " is ", found->dump(), "; wanted: ", like.type_name()));
  return found->get<Value>();
}

}  // namespace sft
