// What Hugging Face's Trainer, TRL, PEFT and their scripts call what is another word here, or needs none.
#pragma once

#include <span>
#include <string_view>

namespace sft {

struct OtherNames {
  std::string_view names;  // words, as they are typed there
  std::string_view here;   // what is written here instead, or why nothing is
};

// All of them; docs/coming_from_trainer.md shows the same table.
std::span<const OtherNames> other_names();

// What is written here in place of `name`; "" where it is in no row.
std::string_view said_here(std::string_view name);

}  // namespace sft
