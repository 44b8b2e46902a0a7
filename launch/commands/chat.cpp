// A talk with a language model on the terminal: the chat template is rendered anew at each turn.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <iterator>
#include <span>

#include "base/config_file.h"
#include "base/errors.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "data/text/chat_template.h"
#include "data/text/said_text.h"
#include "launch/commands/commands.h"
#include "launch/loaded_model.h"
#include "launch/read_as.h"
#include "launch/signals.h"
#include "trainer/learner/generator.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

using nlohmann::ordered_json;

// Ctrl-C ends an answer, or a line that is being typed; any other signal ends the talk.
bool ends_the_talk(int signal) { return signal != 0 && signal != SIGINT; }

// One line of the standard input without its end; false at its end, or where a signal ends the talk.
bool read_line(std::string& line) {
  line.clear();
  for (char byte = 0;;) {
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR) {
      if (ends_the_talk(stop_requested())) return false;
      if (take_stop_request() == 0) continue;
      line.clear();
      return true;
    }
    if (count < 0) throw StorageError(concat("cannot read the standard input: ", std::strerror(errno)));
    if (count == 0) return !line.empty();
    if (byte == '\n') return true;
    line += byte;
  }
}

// Prints a text that grows, up to a character that is not whole yet.
class Growing {
 public:
  void show(const std::string& whole) {
    constexpr std::string_view kNotWhole = "\xEF\xBF\xBD";  // U+FFFD
    std::string_view text = whole;
    while (text.ends_with(kNotWhole)) text.remove_suffix(kNotWhole.size());
    if (text.size() <= shown_) return;
    std::cout << text.substr(shown_) << std::flush;
    shown_ = text.size();
  }

 private:
  size_t shown_ = 0;
};

class Talk {
 public:
  Talk(const LoadedModel& model, const ChatTemplate& chat_template, const GeneratorSettings& settings)
      : tokenizer_(*model.tokenizer),
        said_(tokenizer_),
        most_tokens_(model.learner->model().text_limits()->max_positions),
        vocab_size_(model.learner->model().text_limits()->vocab_size),
        template_(chat_template),
        generator_(
            model.learner->model(),
            [&task = *model.learner->task().generating()](const at::Tensor& x_BC) { return task.next_logits(x_BC); },
            settings) {}

  void say(const std::string& role, const std::string& text) {
    messages_.push_back({{"role", role}, {"content", text}});
  }

  // Says what the model answers while it comes; an interrupt ends the answer, which stays as far as it came.
  void answer() {
    const std::vector<RenderedChat> rendered =
        template_.render({{.json = ordered_json{{"messages", messages_}}.dump()}},
                         {{.num_messages = messages_.size(), .add_generation_prompt = true}});
    if (!rendered[0].problem.empty()) throw DataError(rendered[0].problem);
    const Prompt prompt{tokenizer_.encode_placed({rendered[0].text})[0].ids, turn_++};
    if (std::ssize(prompt.tokens) >= most_tokens_)
      throw DataError(concat("the talk has ", prompt.tokens.size(), " tokens, and the model has positions for ",
                             most_tokens_, ", its answer included: begin another one"));
    require_known(prompt.tokens);
    Growing shown;
    std::vector<int32_t> tokens;
    const auto heard = [&](size_t, std::span<const int32_t> answer) {
      tokens.assign(answer.begin(), answer.end());
      shown.show(said_.of(tokens));
      return ends_the_talk(stop_requested()) ? false : take_stop_request() == 0;
    };
    generator_.run(
        {&prompt, 1}, [](size_t, const Continuation&) {}, heard);
    std::cout << std::endl;
    say("assistant", said_.of(tokens));
  }

 private:
  void require_known(const std::vector<int32_t>& tokens) const {
    for (const int32_t id : tokens)
      if (id >= vocab_size_)
        throw DataError(concat(tokenizer_.directory(), ": the tokenizer has ",
                               in_quotes(tokenizer_.decode(std::span(&id, 1))), " at the id ", id,
                               ", and the model has ", vocab_size_, " embeddings; they are not of one model"));
  }

  const Tokenizer& tokenizer_;
  SaidText said_;
  int64_t most_tokens_, vocab_size_;
  const ChatTemplate& template_;
  Generator generator_;
  ordered_json messages_ = ordered_json::array();
  int64_t turn_ = 0;
};

void require_one_rank(Job& job) {
  if (job.control().size() > 1)
    throw Error(ExitCode::usage, "chat talks with one person: start it without mpirun", Reach::everywhere);
}

}  // namespace

ExitCode chat(const Arguments& arguments, Job& job) {
  require_one_rank(job);
  auto [directory, config] = model_to_talk_to(arguments.target);
  Origins origins;
  apply_overrides(bind_fields(config), arguments.overrides, origins);
  const World world = job.world(config.device, config.threads, config.comm);
  const LoadedModel model = load_model(directory, without_plugins(config), world);
  if (model.learner->task().generating() == nullptr)
    throw ConfigError(concat(directory, " is a model for ", config.model.task, "; chat is for language models"));
  const auto chat_template = ChatTemplate::find(model.directory->texts_path(), config.data.chat.chat_template, today());

  config.generate = model.generate;  // of the run or the model; the command line goes before both
  apply_overrides(bind_fields(config), arguments.overrides, origins);
  Talk talk(model, *chat_template,
            {.generate = config.generate,
             .seed = static_cast<uint64_t>(config.seed),
             .sequences = 1,
             .device = world.device});
  if (!arguments.system.empty()) talk.say("system", arguments.system);
  leave_if_asked();
  signals::wake_readers();
  const bool is_terminal = ::isatty(STDIN_FILENO) != 0;
  if (is_terminal) std::cout << "Ctrl-C ends an answer, Ctrl-D the talk.\n";
  for (std::string line; !ends_the_talk(stop_requested());) {
    if (is_terminal) std::cout << "\n> " << std::flush;
    if (!read_line(line)) break;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!is_valid_utf8(line)) {
      log::warn("this line is not valid UTF-8, and was passed over");
      continue;
    }
    talk.say("user", line);
    talk.answer();
  }
  if (is_terminal) std::cout << std::endl;
  return ExitCode::done;
}

}  // namespace sft
