// A config file: its values as TOML again are the same, and so are settings that were loaded and written.
#include "base/toml.h"

#include "base/config_file.h"
#include "data/prepare/data_config.h"
#include "fuzz/input.h"

SFT_FUZZ(input) {
  using namespace sft;
  const std::string path = fuzz::folder().put("run.toml", input);
  fuzz::allow_errors([&] {
    for (const Setting& setting : read_toml(path, [](const std::string& name) { return name != "table"; })) {
      const std::string text = toml_text(setting.value);
      if (toml_text(parse_toml_value(text)) != text) __builtin_trap();
    }
  });
  fuzz::allow_errors([&] {
    DataConfig config, again;
    Origins origins;
    load_file(bind_fields(config), path, origins);
    const std::string text = to_toml(config);
    load_file(bind_fields(again), fuzz::folder().put("again.toml", text), origins);
    if (to_toml(again) != text) __builtin_trap();
  });
}
