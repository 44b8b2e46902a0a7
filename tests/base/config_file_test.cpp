// Configs of a made-up program: what is promised here holds for any struct with fields().
#include "base/config_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <limits>

#include "base/errors.h"
#include "tests/base/temporary_directory.h"

namespace sft {
namespace {

struct EngineConfig {
  std::string fuel = "coal";
  double boost = 0.5;
  int64_t cylinders = 4;
  double warmup = 0;
  AutoBool turbo = AutoBool::automatic;
  bool experimental = false;
  int64_t trace = 0;
  double ratio = 0.5;
  std::string whistle = "false";

  static constexpr auto fields() {
    return std::tuple{field("fuel", &EngineConfig::fuel, "what burns",
                            one_of("coal", "wood").not_built("steam").alias("charcoal", "coal")),
                      field("boost", &EngineConfig::boost, "share of pressure", in_range(0.0, 1.0)),
                      field("cylinders", &EngineConfig::cylinders, "how many", at_least(int64_t{1})),
                      field("warmup", &EngineConfig::warmup, "minutes", at_least(0.0)).alias("warmup_minutes"),
                      field("turbo", &EngineConfig::turbo, "auto: where there is one"),
                      field("experimental", &EngineConfig::experimental, "what is to come").not_built(),
                      field("trace", &EngineConfig::trace, "steps", only(int64_t{0})),
                      field("ratio", &EngineConfig::ratio, "of gears", above(0.0).below(1.0)),
                      field("whistle", &EngineConfig::whistle, "when it sounds", one_of("true", "false", "seldom"))};
  }
};

struct CargoConfig {
  StringList files;
  StringList tags = {"a"};
  NumberList heights;
  NumberLists trains;
  WordOrNumbers weights;
  Table extra = Table::object();
  int64_t cylinders = 1;

  static constexpr auto fields() {
    return std::tuple{
        field("files", &CargoConfig::files, "what is carried", Path{}),
        field("tags", &CargoConfig::tags, "labels", each_of("a", "b", "c")),
        field("heights", &CargoConfig::heights, "of each piece", above(0.0)),
        field("trains", &CargoConfig::trains, "cars of each", at_least(1.0)),
        field("weights", &CargoConfig::weights, "of each class", at_least(0.0).or_one_of("none", "balanced")),
        field("extra", &CargoConfig::extra, "anything"),
        field("cylinders", &CargoConfig::cylinders, "gas cylinders")};
  }
};

struct TrainSetConfig {
  std::string name = "local";
  int64_t seed = 1;
  EngineConfig engine;
  CargoConfig cargo;

  static constexpr auto fields() {
    return std::tuple{field("name", &TrainSetConfig::name, "of the line"),
                      field("seed", &TrainSetConfig::seed, "of chance"), section("engine", &TrainSetConfig::engine),
                      section("cargo", &TrainSetConfig::cargo)};
  }
};

class ConfigFile : public testing::Test {
 protected:
  // Loads `toml` as run.toml, then the command line.
  void load(const std::string& toml, const std::vector<std::string>& arguments = {}) {
    const TrainSetConfig defaults;
    config = defaults;
    origins.clear();
    load_file(bind_fields(config), directory.file("run.toml", toml), origins);
    apply_overrides(bind_fields(config), arguments, origins);
  }

  // What is wrong with it; paths are shortened to the file's name.
  std::string wrong(const std::string& toml, const std::vector<std::string>& arguments = {}) {
    try {
      load(toml, arguments);
    } catch (const Error& error) {
      std::string message = error.what();
      const std::string prefix = directory.path() + '/';
      for (size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
      code = error.code();
      return message;
    }
    return "";
  }

  TemporaryDirectory directory;
  TrainSetConfig config;
  Origins origins;
  ExitCode code = ExitCode::done;
};

TEST_F(ConfigFile, LoadsEveryTypeOfValue) {
  load(R"(
name = "express"
[engine]
boost = 1          # an integer is a number
cylinders = 8
turbo = true
[cargo]
files = "one"      # a string is a list of one
tags = ["b", "c"]
heights = [0.5, 2]
weights = { coal = 2, "hard wood" = 0.5 }
[cargo.extra]
depth = 3
nested = { on = [1, 2.5, "x"] }
)");
  EXPECT_EQ(config.name, "express");
  EXPECT_EQ(config.seed, 1);
  EXPECT_EQ(config.engine.boost, 1.0);
  EXPECT_EQ(config.engine.cylinders, 8);
  EXPECT_EQ(config.engine.turbo, AutoBool::yes);
  EXPECT_EQ(config.cargo.files, StringList{"one"});
  EXPECT_EQ(config.cargo.tags, (StringList{"b", "c"}));
  EXPECT_EQ(config.cargo.heights, (NumberList{0.5, 2}));
  EXPECT_EQ(config.cargo.weights, (WordOrNumbers{"", {{"coal", 2}, {"hard wood", 0.5}}}));
  EXPECT_EQ(config.cargo.extra, Table::parse(R"({"depth": 3, "nested": {"on": [1, 2.5, "x"]}})"));
}

TEST_F(ConfigFile, ListsOfNumbersAreCheckedOneByOne) {
  load("", {"cargo.heights=3"});
  EXPECT_EQ(config.cargo.heights, NumberList{3});
  EXPECT_EQ(wrong("", {"cargo.heights=[1, 0]"}), "command line: cargo.heights: wanted more than 0, found 0");
  EXPECT_EQ(wrong("[cargo]\nheights = [1, \"two\"]\n"),
            "run.toml:2: cargo.heights: wanted a number or a list of numbers, found the string 'two'");
}

TEST_F(ConfigFile, ListsOfListsOfNumbersAreCheckedOneByOne) {
  load("", {"cargo.trains=[[1, 2], [3]]"});
  EXPECT_EQ(config.cargo.trains, (NumberLists{{1, 2}, {3}}));
  EXPECT_EQ(wrong("", {"cargo.trains=[[1], [0]]"}), "command line: cargo.trains: wanted at least 1, found 0");
  EXPECT_EQ(wrong("[cargo]\ntrains = [1]\n"),
            "run.toml:2: cargo.trains: wanted a list of lists of numbers, found the integer 1");
}

TEST_F(ConfigFile, AChoiceOfWordsMayHaveTrueAndFalseAmongThem) {
  load("[engine]\nwhistle = true\n");
  EXPECT_EQ(config.engine.whistle, "true");
  load("", {"engine.whistle=seldom"});
  EXPECT_EQ(config.engine.whistle, "seldom");
  EXPECT_EQ(wrong("[engine]\nfuel = true\n"), "run.toml:2: engine.fuel: wanted a string, found true");
}

TEST_F(ConfigFile, RemembersWhatTheUserSetAndWhere) {
  load("name = \"x\"\n[engine]\nwarmup_minutes = 3\n[cargo]\nextra.depth = 4\n", {"seed=7"});
  EXPECT_EQ(origins.at("name").place, directory.path("run.toml:1"));
  EXPECT_EQ(origins.at("engine.warmup").place, directory.path("run.toml:3"));
  EXPECT_EQ(origins.at("engine.warmup").name, "warmup_minutes");
  EXPECT_EQ(origins.at("cargo.extra.depth").place, directory.path("run.toml:5"));
  EXPECT_EQ(origins.at("seed").place, "command line");
  EXPECT_FALSE(origins.contains("engine.boost"));
  EXPECT_EQ(place_of(origins, "seed"), "command line: ");
  EXPECT_EQ(place_of(origins, "engine.boost"), "");
}

TEST_F(ConfigFile, NamesTheLineOfAnUnknownKeyAndTheNearestOne) {
  EXPECT_EQ(wrong("seed = 3\n\nnmae = 'x'\n"), "run.toml:3: unknown key 'nmae' (did you mean 'name'?)");
  EXPECT_EQ(wrong("[engine]\nbost = 1\n"), "run.toml:2: unknown key 'engine.bost' (did you mean 'engine.boost'?)");
  EXPECT_EQ(wrong("[cargo]\nboost = 1\n"), "run.toml:2: unknown key 'cargo.boost' (did you mean 'engine.boost'?)");
  EXPECT_EQ(wrong("fuel = 'coal'\n"), "run.toml:1: unknown key 'fuel' (did you mean 'engine.fuel'?)");
  EXPECT_EQ(wrong("zzz = 1\n"), "run.toml:1: unknown key 'zzz'");
  EXPECT_EQ(wrong("[engin]\nboost = 1\n"), "run.toml:1: there is no section 'engin' (did you mean 'engine'?)");
  EXPECT_EQ(wrong("[locomotive]\nboost = 1\n"),
            "run.toml:1: there is no section 'locomotive'; there are engine, cargo");
  EXPECT_EQ(wrong("engine = 3\n"), "run.toml:1: engine is a section: write [engine] and its keys below");
  EXPECT_EQ(wrong("[[engine]]\nboost = 1\n"), "run.toml:1: engine is a section: write [engine] and its keys below");
  EXPECT_EQ(code, ExitCode::config);
}

TEST_F(ConfigFile, SaysWhichTypeWasWantedAndWhichFound) {
  EXPECT_EQ(wrong("seed = 'x'\n"), "run.toml:1: seed: wanted an integer, found the string 'x'");
  EXPECT_EQ(wrong("seed = 1.0\n"), "run.toml:1: seed: wanted an integer, found the number 1.0");
  EXPECT_EQ(wrong("seed = 9223372036854775808\n").substr(0, 20), "run.toml:1: not TOML");
  EXPECT_EQ(wrong("name = 5\n"), "run.toml:1: name: wanted a string, found the integer 5");
  EXPECT_EQ(wrong("engine.boost = []\n"), "run.toml:1: engine.boost: wanted a number, found a list");
  EXPECT_EQ(wrong("engine.experimental = 'no'\n"),
            "run.toml:1: engine.experimental: wanted true or false, found the string 'no'");
  EXPECT_EQ(wrong("engine.turbo = 1\n"), "run.toml:1: engine.turbo: wanted auto, true or false, found the integer 1");
  EXPECT_EQ(wrong("cargo.tags = ['a', 2]\n"),
            "run.toml:1: cargo.tags: wanted a string or a list of strings, found the integer 2");
  EXPECT_EQ(wrong("cargo.extra = 1\n"), "run.toml:1: cargo.extra: wanted a table, found the integer 1");
  EXPECT_EQ(wrong("cargo.weights = 'some'\n"),
            "run.toml:1: cargo.weights: wanted none, balanced or { name = number, … }, found the string 'some'");
  EXPECT_EQ(wrong("cargo.weights = { a = 'x' }\n"),
            "run.toml:1: cargo.weights.a: wanted a number, found the string 'x'");
  EXPECT_EQ(wrong("seed = 2024-01-01\n"), "run.toml:1: a date or time has no meaning here; put it in quotes");
}

TEST_F(ConfigFile, SaysWhichRangeWasWanted) {
  EXPECT_EQ(wrong("engine.boost = 1.5\n"), "run.toml:1: engine.boost: wanted at least 0 and at most 1, found 1.5");
  EXPECT_EQ(wrong("engine.boost = nan\n"), "run.toml:1: engine.boost: wanted a finite number, found the number nan");
  EXPECT_EQ(wrong("engine.warmup = inf\n"), "run.toml:1: engine.warmup: wanted a finite number, found the number inf");
  EXPECT_EQ(wrong("engine.cylinders = 0\n"), "run.toml:1: engine.cylinders: wanted at least 1, found 0");
  EXPECT_EQ(wrong("engine.ratio = 0\n"), "run.toml:1: engine.ratio: wanted more than 0 and less than 1, found 0");
  EXPECT_EQ(wrong("engine.ratio = 1.0\n"), "run.toml:1: engine.ratio: wanted more than 0 and less than 1, found 1.0");
  EXPECT_EQ(wrong("cargo.weights = { a = -1 }\n"), "run.toml:1: cargo.weights.a: wanted at least 0, found -1");
}

TEST_F(ConfigFile, RefusesByNameWhatIsNotBuiltYet) {
  EXPECT_EQ(wrong("engine.fuel = 'steam'\n"), "run.toml:1: engine.fuel = 'steam' is not built yet; built: coal, wood");
  EXPECT_EQ(wrong("engine.fuel = 'wod'\n"),
            "run.toml:1: engine.fuel: wanted one of coal, wood, found 'wod' (did you mean 'wood'?)");
  EXPECT_EQ(wrong("cargo.tags = ['a', 'd']\n"), "run.toml:1: cargo.tags: wanted one of a, b, c, found 'd'");
  EXPECT_EQ(wrong("engine.experimental = true\n"),
            "run.toml:1: engine.experimental = true is not built yet; leave it at false");
  EXPECT_EQ(wrong("engine.trace = 3\n"), "run.toml:1: engine.trace = 3 is not built yet; leave it at 0");
  EXPECT_EQ(wrong("engine.experimental = false\nengine.trace = 0\n"), "");
}

TEST_F(ConfigFile, AcceptsOtherNamesButNotTwoAtOnce) {
  load("engine = { warmup_minutes = 2, fuel = 'charcoal' }\n");
  EXPECT_EQ(config.engine.warmup, 2);
  EXPECT_EQ(config.engine.fuel, "coal");
  EXPECT_EQ(wrong("[engine]\nwarmup = 1\nwarmup_minutes = 2\n"),
            "run.toml:3: warmup_minutes and warmup (run.toml:2) are two names of one setting; give one of them");
  EXPECT_EQ(wrong("", {"warmup=1", "--warmup_minutes", "2"}),
            "command line: warmup_minutes and warmup (command line) are two names of one setting; give one of them");
  load("engine.warmup = 1\n", {"warmup_minutes=2"});
  EXPECT_EQ(config.engine.warmup, 2) << "a later layer may use the other name";
}

TEST_F(ConfigFile, SaysWhereAFileIsNotToml) {
  EXPECT_EQ(wrong("name = \"x\"\nseed == 3\n").substr(0, 21), "run.toml:2: not TOML:");
  EXPECT_EQ(wrong("seed = 1\nseed = 2\n").substr(0, 21), "run.toml:2: not TOML:");
  EXPECT_EQ(wrong("name = \"\xFF\"\n").substr(0, 21), "run.toml:1: not TOML:");
  EXPECT_NE(wrong("name = \"\xFF\"\n").find("iconv -f LATIN1"), std::string::npos);
  for (const auto& [text, cure] : {std::pair{"name = \"C:\\data\"\n", "write / in its place"},
                                   {"seed = 1\nname = “x”\n", "there is a “"},
                                   {"name: x\n", "looks like YAML"},
                                   {"{\"name\": 1}\n", "looks like JSON"},
                                   {"name = True\n", "write true or false"}})
    EXPECT_NE(wrong(text).find(cure), std::string::npos) << wrong(text);
  EXPECT_THROW(load_file(bind_fields(config), directory.path("absent.toml"), origins), ConfigError);
}

TEST_F(ConfigFile, TheIncludingFileWinsOverWhatItIncludes) {
  directory.file("base/base.toml",
                 "include = 'deep.toml'\nseed = 2\n[engine]\nboost = 0.25\n[cargo.extra]\na = 1\nb = 2\n");
  directory.file("base/deep.toml", "seed = 3\nname = 'deep'\n");
  directory.file("other.toml", "[engine]\ncylinders = 12\n");
  load("include = ['base/base.toml', 'other.toml']\n[engine]\nboost = 0.75\n[cargo.extra]\nb = 3\n");
  EXPECT_EQ(config.name, "deep") << "relative to the file that includes";
  EXPECT_EQ(config.seed, 2);
  EXPECT_EQ(config.engine.boost, 0.75);
  EXPECT_EQ(config.engine.cylinders, 12);
  EXPECT_EQ(config.cargo.extra, Table::parse(R"({"a": 1, "b": 3})"));
  EXPECT_EQ(origins.at("name").place, directory.path("base/deep.toml:2"));
}

TEST_F(ConfigFile, RefusesIncludesThatAreMissingOrGoInACircle) {
  EXPECT_EQ(wrong("\ninclude = 'no.toml'\n"), "run.toml:2: include: there is no file 'no.toml'");
  EXPECT_EQ(wrong("include = 3\n"), "run.toml:1: include: wanted a string or a list of strings, found the integer 3");
  directory.file("a.toml", "include = 'run.toml'\n");
  EXPECT_EQ(wrong("include = 'a.toml'\n"), "a.toml:1: include: 'run.toml' includes this file in turn");
  directory.file("b.toml", "engine.bost = 1\n");
  EXPECT_EQ(wrong("include = 'b.toml'\n"), "b.toml:1: unknown key 'engine.bost' (did you mean 'engine.boost'?)");
}

TEST_F(ConfigFile, TakesOverridesInEverySpelling) {
  load("seed = 5\n[engine]\nboost = 0.1\n",
       {"engine.boost=2e-1", "--cargo.tags", "[\"b\"]", "--warmup-minutes=4", "--turbo", "fuel=wood",
        "cargo.extra.depth=3", "name=2024", "seed=-1", "--seed", "6", "files=a=b"});
  EXPECT_EQ(config.engine.boost, 0.2);
  EXPECT_EQ(config.cargo.tags, StringList{"b"});
  EXPECT_EQ(config.engine.warmup, 4);
  EXPECT_EQ(config.engine.turbo, AutoBool::yes);
  EXPECT_EQ(config.engine.fuel, "wood");
  EXPECT_EQ(config.cargo.extra, Table::parse(R"({"depth": 3})"));
  EXPECT_EQ(config.name, "2024") << "a text field takes a number's digits as text";
  EXPECT_EQ(config.seed, 6) << "the last one wins";
  EXPECT_EQ(config.cargo.files, StringList{"a=b"});
  load("", {"name=2024-01-01", "turbo=auto", "--files", "07:30:00"});
  EXPECT_EQ(config.name, "2024-01-01");
  EXPECT_EQ(config.engine.turbo, AutoBool::automatic);
  EXPECT_EQ(config.cargo.files, StringList{"07:30:00"});
  load("", {"name=a\nseed = 9"});
  EXPECT_EQ(config.name, "a\nseed = 9") << "a value is never more than a value";
  EXPECT_EQ(wrong("", {"seed=3\nx = 9"}), "command line: seed: wanted an integer, found the string '3\\nx = 9'");
}

TEST_F(ConfigFile, RefusesOverridesThatNameNothingOrTooMuch) {
  EXPECT_EQ(wrong("", {"cylinders=3"}),
            "command line: 'cylinders' could be engine.cylinders or cargo.cylinders; write one of them in full");
  EXPECT_EQ(wrong("", {"bost=3"}), "command line: unknown key 'bost' (did you mean 'engine.boost'?)");
  EXPECT_EQ(wrong("", {"engine.boost=full"}), "command line: engine.boost: wanted a number, found the string 'full'");
  EXPECT_EQ(wrong("", {"name=\xFF"}), "command line: name: '\\xff' is not valid UTF-8");
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_EQ(wrong("", {"--boost"}), "--boost: a value is missing; wanted --boost VALUE");
  EXPECT_EQ(code, ExitCode::usage);
  EXPECT_EQ(wrong("", {"stray"}), "unexpected argument 'stray'; wanted key.path=value or --key value");
  EXPECT_EQ(wrong("", {"=3"}), "unexpected argument '=3'; wanted key.path=value or --key value");
}

TEST_F(ConfigFile, ExpandsHomeAndVariablesInPathsOnly) {
  ::setenv("SFT_TEST_VARIABLE", "/data", 1);
  ::setenv("HOME", "/home/me", 1);
  load(
      "name = '~/${SFT_TEST_VARIABLE}'\n[cargo]\nfiles = ['~/a', '${SFT_TEST_VARIABLE}/b${SFT_TEST_VARIABLE}', "
      "'c~$d']\n");
  EXPECT_EQ(config.name, "~/${SFT_TEST_VARIABLE}");
  EXPECT_EQ(config.cargo.files, (StringList{"/home/me/a", "/data/b/data", "c~$d"}));
  EXPECT_EQ(wrong("cargo.files = '${SFT_NOT_SET}/x'\n"),
            "run.toml:1: cargo.files: environment variable 'SFT_NOT_SET' is not set");
  EXPECT_EQ(wrong("cargo.files = '${SFT'\n"), "run.toml:1: cargo.files: '${' without '}' in '${SFT'");
}

TEST_F(ConfigFile, PrintsAConfigThatLoadsToTheSameValues) {
  config.name = "quo\"te \\ \n\t\x01 \x7f caf\xC3\xA9 'x'";
  config.seed = std::numeric_limits<int64_t>::max();
  config.engine.boost = 0.1 + 0.2;
  config.engine.warmup = 5e-324;
  config.engine.turbo = AutoBool::no;
  config.cargo.files = {"a b", "c"};
  config.cargo.tags = {};
  config.cargo.weights = {"", {{"with space", 1}, {"1e-5", 0.1}, {"", 1e38}}};
  config.cargo.extra = Table::parse(R"({"a.b": [1, 2.0, [true, "x"]], "deep": {"er": {"n": -1e-7}, "empty": {}}})");
  const TrainSetConfig before = config;
  const std::string text = to_toml(before);
  load(text);
  EXPECT_EQ(to_toml(config), text);
  EXPECT_EQ(to_json(config), to_json(before));
  EXPECT_EQ(config.name, before.name);
  EXPECT_EQ(config.engine.boost, before.engine.boost);
  EXPECT_EQ(config.cargo.weights, before.cargo.weights);
  EXPECT_EQ(config.cargo.extra, before.cargo.extra);
}

TEST_F(ConfigFile, PrintsEachValueWithItsMeaning) {
  const std::string text = to_toml(config);
  EXPECT_EQ(text.substr(0, text.find("\n\n")), "name = \"local\"  # of the line\nseed = 1        # of chance");
  EXPECT_NE(text.find("\n[engine]\nfuel = \"coal\"         # what burns (coal | wood)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nboost = 0.5 "), std::string::npos) << text;
}

TEST_F(ConfigFile, ListsWhatDiffersBetweenTwoConfigs) {
  TrainSetConfig other = config;
  EXPECT_TRUE(differences(config, other).empty());
  other.seed = 2;
  other.engine.boost = 0.25;
  other.cargo.tags = {"a", "b"};
  const auto found = differences(config, other);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "seed");
  EXPECT_EQ(found[1].key + " " + found[1].before + " " + found[1].after, "engine.boost 0.5 0.25");
  EXPECT_EQ(found[2].after, "[\"a\", \"b\"]");
}

TEST_F(ConfigFile, ComesBackFromJsonAndIgnoresKeysThatAreGone) {
  load("name = 'x'\n[engine]\nboost = 0.3\n[cargo]\nfiles = ['${HOME}x']\nextra.a = 1\nweights = 'balanced'\n");
  nlohmann::json saved = nlohmann::json::parse(to_json(config).dump());
  saved["engine"]["gone"] = 1;
  saved["cargo"].erase("tags");
  TrainSetConfig restored;
  restored.cargo.extra = Table::parse(R"({"b": 2})");
  from_json(bind_fields(restored), saved);
  EXPECT_EQ(to_json(restored), to_json(config));
}

}  // namespace
}  // namespace sft
