"""Language models as a user has them: chats in, a model that answers out, held to transformers and PEFT on the way."""
import json
import random
import shutil
import signal
import subprocess
import time
import unittest

from harness import WORDS, EndToEnd, read_rows, write_rows

TEMPLATE = ("{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
            "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")


def make_chat_model(family, directory, **changes):
    """A random decoder in Hugging Face layout, with a tokenizer of bytes and ChatML's template."""
    import torch
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("<|im_start|>", "<|im_end|>", "<eos>")])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>", model_input_names=["input_ids", "attention_mask"])
    fast.chat_template = TEMPLATE
    fast.save_pretrained(directory)
    shared = dict(vocab_size=len(tokenizer.get_vocab()) + 3, bos_token_id=258, eos_token_id=258, pad_token_id=258, initializer_range=0.1)
    if family == "gpt2":
        config = transformers.GPT2Config(**{**shared, **dict(n_embd=32, n_layer=2, n_head=4, n_positions=160), **changes})
    else:
        config = transformers.AutoConfig.for_model(family, **{**shared, **dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                                                                              head_dim=16, intermediate_size=64, max_position_embeddings=160), **changes})
    torch.manual_seed(7)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = 258
    model.save_pretrained(directory)
    return directory


def make_chats(count, seed):
    """An answer repeats the word that was asked for; some chats have two turns."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        messages = []
        for _ in range(draw.choice([1, 1, 2])):
            word = draw.choice(WORDS)[4:]
            messages += [{"role": "user", "content": f"say {word}"}, {"role": "assistant", "content": f"{word} {word}"}]
        rows.append({"messages": messages})
    return rows


class LanguageModels(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_chat_model("llama", cls.shared / "llama")
        cls.test = make_chats(21, 3)
        for name, rows in (("train", make_chats(90, 1)), ("validation", make_chats(17, 2)), ("test", cls.test)):
            write_rows(cls.shared / f"{name}.jsonl", rows)

    def config(self, name="run", **sections):
        sections["model"] = {"model_name_or_path": str(self.shared / "llama"), "task": "causal_lm", **sections.get("model", {})}
        sections["data"] = {"max_length": 160, **sections.get("data", {})}
        sections["eval"] = {"generate": True, "max_generate_samples": 9, **sections.get("eval", {})}
        sections["generate"] = {"max_new_tokens": 12, **sections.get("generate", {})}
        return super().config(name, **sections)

    def test_the_day_of_the_first_start_stays(self):
        dated = self.home / "dated.jinja"
        dated.write_text("{{ strftime_now('%Y-%m-%d') }}" + TEMPLATE)
        day = lambda zone: {"TZ": zone}  # never the same day: XXX+12 is 26 hours behind XXX-14
        for ranks in (1, 2):
            name = f"run{ranks}"
            config = self.config(name, data={"chat_template": str(dated), "test_file": None}, train={"max_steps": 3}, eval={"generate": False})
            self.succeed(config, ranks=ranks, environment=day("XXX-14"))
            first = next(line for line in (self.run_dir(name) / "config.toml").read_text().splitlines() if line.startswith("date = "))
            self.assertNotEqual(first, 'date = ""')
            told = [self.succeed("evaluate", self.run_dir(name), environment=day(zone)).out for zone in ("XXX-14", "XXX+12")]
            self.assertEqual(*told)
            self.succeed(config, "train.max_steps=5", ranks=ranks, environment=day("XXX+12"))
            self.assertIn(first, (self.run_dir(name) / "config.toml").read_text())
            self.assertEqual(self.run_program(config, "train.max_steps=6", f"data.date=2026-01-31", ranks=ranks).code, 78)
            alone = self.home / f"alone{ranks}" / "checkpoint-5"  # away from its run's config.toml
            shutil.copytree(self.run_dir(name) / "checkpoint-5", alone)
            again = self.config(f"again{ranks}", top={"resume_from_checkpoint": str(alone)}, data={"chat_template": str(dated), "test_file": None},
                                train={"max_steps": 7}, eval={"generate": False})
            self.succeed(again, ranks=ranks, environment=day("XXX+12"))

    def by_transformers(self, directory, rows, adapter=None, **generate):
        """Of each chat: the mean loss of its answers' tokens, and what the model says to all but its last answer."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(directory)
        model, told = AutoModelForCausalLM.from_pretrained(directory, output_loading_info=True, dtype=torch.float64)
        self.assertFalse(told["missing_keys"] or told["unexpected_keys"] or told["mismatched_keys"], told)
        if adapter is not None:
            from peft import PeftModel
            model = PeftModel.from_pretrained(model, adapter, torch_dtype=torch.float64).double()
        found = []
        for row in rows:
            text = lambda messages, **more: tokenizer.apply_chat_template(messages, tokenize=False, **more)
            ids = tokenizer(text(row["messages"]), add_special_tokens=False)["input_ids"]
            labels = [-100] * len(ids)
            for i, message in enumerate(row["messages"]):
                if message["role"] == "assistant":
                    first = len(tokenizer(text(row["messages"][:i], add_generation_prompt=True), add_special_tokens=False)["input_ids"])
                    end = len(tokenizer(text(row["messages"][:i + 1]), add_special_tokens=False)["input_ids"]) - 1  # the line break is not learned
                    labels[first:end] = ids[first:end]
            prompt = torch.tensor([tokenizer(text(row["messages"][:-1], add_generation_prompt=True), add_special_tokens=False)["input_ids"]])
            with torch.no_grad():
                loss = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item()
                said = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=12, do_sample=False, **generate)[0, prompt.shape[1]:]
            found.append((loss, tokenizer.decode(said, skip_special_tokens=True)))
        return found

    def test_numbers_do_not_depend_on_ranks_and_transformers_says_the_same(self):
        for name, ranks in (("one", 1), ("three", 3)):
            self.succeed(self.config(name, model={"dtype": "float64"}, train={"num_train_epochs": 4}), ranks=ranks)
        for key in ("loss", "grad_norm", "eval_loss", "eval_token_accuracy", "eval_chrf"):
            for step, value in self.lines("one", key).items():
                self.assertAlmostEqual(self.lines("three", key)[step], value, delta=1e-11 * max(1, abs(value)), msg=f"{key} {step}")
        ours = read_rows(self.run_dir("one") / "predictions.jsonl")
        self.assertEqual(read_rows(self.run_dir("three") / "predictions.jsonl")[0].keys(), ours[0].keys())
        losses = list(self.lines("one", "loss").values())
        self.assertLess(losses[-1], 0.7 * losses[0])

        exported = self.run_dir("three") / "model"
        self.assertEqual(json.loads((exported / "generation_config.json").read_text())["eos_token_id"], [258, 257])
        theirs = self.by_transformers(exported, self.test)
        answered = [row for row in ours if "prediction" in row]
        self.assertEqual(len(answered), 9)
        for mine, (loss, said), row in zip(ours, theirs, self.test):
            self.assertAlmostEqual(mine["loss"], loss, delta=1e-6)  # its norms round to float32
            if "prediction" in mine:
                self.assertEqual(mine["prediction"], said)
                self.assertEqual(mine["reference"], row["messages"][-1]["content"])
        self.predicts_alike({i: said for i, (_, said) in enumerate(theirs)})

    def predicts_alike(self, said):
        """Every row is answered: chats that end with a question, from the run and from its model alone."""
        asked = self.home / "asked.jsonl"
        write_rows(asked, [{"messages": row["messages"][:-1]} for row in self.test])
        for target, ranks in ((self.run_dir("three"), 1), (self.run_dir("three"), 2), (self.run_dir("three") / "model", 1)):
            self.succeed("predict", target, "--input", asked, "--output", self.home / "out.jsonl", ranks=ranks)
            for i, row in enumerate(read_rows(self.home / "out.jsonl")):
                self.assertEqual(row["prediction"], said[i])
                self.assertEqual(row["finish"], "stop" if row["tokens"] < 12 else row["finish"])
        self.talks_as_the_run_says(said)
        self.searches_by_beams(asked)

    def talks_as_the_run_says(self, said):
        """[generate] of the run, 12 tokens, goes before generation_config.json, and without the run that alone counts."""
        chosen = next(i for i, row in enumerate(self.test) if len(row["messages"]) == 2 and len(said[i]) > 2)
        path = self.run_dir("three") / "model/generation_config.json"
        kept = path.read_text()
        path.write_text(json.dumps({**json.loads(kept), "max_new_tokens": 2}))
        for target, answer in ((self.run_dir("three"), said[chosen]), (self.run_dir("three") / "model", said[chosen][:2])):
            talk = subprocess.run(self.command("chat", target), input=self.test[chosen]["messages"][0]["content"] + "\n", capture_output=True, text=True, timeout=60)
            self.assertEqual(talk.returncode, 0, talk.stderr)
            self.assertEqual(talk.stdout.rstrip("\n"), answer)
        path.write_text(kept)

    def searches_by_beams(self, asked):
        """As generation_config.json says, and the same on any number of ranks."""
        exported, beams = self.run_dir("three") / "model", {"num_beams": 4, "length_penalty": 0.6, "early_stopping": True}
        path = exported / "generation_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **beams, "max_new_tokens": 12}))
        theirs = [said for _, said in self.by_transformers(exported, self.test, **beams)]
        for ranks in (1, 2):
            self.succeed("predict", exported, "--input", asked, "--output", self.home / "beams.jsonl", ranks=ranks)
            self.assertEqual([row["prediction"] for row in read_rows(self.home / "beams.jsonl")], theirs)

    def test_a_signal_ends_a_talk_at_once(self):
        talk = subprocess.Popen(self.command("chat", self.shared / "llama", "generate.max_new_tokens=3"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            talk.stdin.write(b"say 1\n")
            talk.stdin.flush()
            talk.stdout.readline()  # it waits for the next line now
            started = time.monotonic()
            talk.send_signal(signal.SIGTERM)
            self.assertEqual(talk.wait(timeout=30), 0, talk.stderr.read())
            self.assertLess(time.monotonic() - started, 5)
        finally:
            talk.kill()
            talk.communicate()

    def test_killed_run_goes_on_bitwise(self):
        saves = {"save": {"save_strategy": "steps", "save_steps": 5}, "train": {"num_train_epochs": 1}, "eval": {"generate": False}}
        self.succeed(self.config("straight", **saves), ranks=2)
        config = self.config("killed", **saves)
        self.assertNotEqual(self.run_program(config, ranks=2, environment={"SFT_FAILPOINTS": "rank=1;trainer.step@8=kill"}).code, 0)
        self.succeed(config, ranks=2)
        self.assertEqual(self.weights("killed"), self.weights("straight"))

    def test_adapters_train_alone_and_peft_reads_them(self):
        lora = {"lora": {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}, "train": {"num_train_epochs": 2}}
        done = self.succeed(self.config(**lora), ranks=2)
        self.assertIn("adapter", done.err + done.out)
        written = json.loads((self.run_dir() / "adapter/adapter_config.json").read_text())
        self.assertEqual(written["target_modules"], ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"])
        self.assertEqual(written["task_type"], "CAUSAL_LM")
        ours = read_rows(self.run_dir() / "predictions.jsonl")
        merged = self.by_transformers(self.run_dir() / "model", self.test)
        loaded = self.by_transformers(self.shared / "llama", self.test, adapter=self.run_dir() / "adapter")
        for mine, (loss, _), (peft_loss, _) in zip(ours, merged, loaded):
            self.assertAlmostEqual(mine["loss"], loss, delta=1e-4)
            self.assertAlmostEqual(mine["loss"], peft_loss, delta=1e-4)

    def test_plain_texts_and_instructions_train_gpt2(self):
        make_chat_model("gpt2", self.home / "gpt2")
        write_rows(self.home / "texts.jsonl", [{"text": " ".join(WORDS[i:i + 12])} for i in range(40)])
        write_rows(self.home / "instructions.jsonl", [{"prompt": f"say {word} ", "completion": word} for word in WORDS])
        for name, data in (("texts", {"truncation": "split", "max_length": 24}), ("instructions", {})):
            data = {"train_file": str(self.home / f"{name}.jsonl"), "validation_file": None, "test_file": None, **data}
            self.succeed(self.config(name, model={"model_name_or_path": str(self.home / "gpt2")}, data=data, train={"num_train_epochs": 3}), ranks=2)
            losses = list(self.lines(name).values())
            self.assertLess(losses[-1], 0.85 * losses[0], name)
            self.by_transformers(self.run_dir(name) / "model", [])
        write_rows(self.home / "begun.jsonl", [{"text": "word1 word2 wo"}, {"text": "word7 "}])
        self.succeed("predict", self.run_dir("texts"), "--input", self.home / "begun.jsonl", "--output", self.home / "out.jsonl", ranks=2)
        self.assertEqual([row["tokens"] > 0 for row in read_rows(self.home / "out.jsonl")], [True, True])

    def test_a_template_that_changed_since_is_not_what_the_model_is_asked_with(self):
        template = self.home / "template.jinja"
        template.write_text(TEMPLATE)
        self.succeed(self.config(data={"chat_template": str(template)}, train={"max_steps": 3}))
        asked = self.home / "asked.jsonl"
        write_rows(asked, [{"messages": row["messages"][:-1]} for row in self.test])
        commands = (("predict", self.run_dir(), "--input", asked, "--output", self.home / "out.jsonl"), ("evaluate", self.run_dir(), "--split", "test"))
        before = [(self.succeed(*command).out, (self.home / "out.jsonl").read_text()) for command in commands]
        template.write_text(TEMPLATE.replace("message['content']", "message['content'] | upper"))
        self.assertEqual([(self.succeed(*command).out, (self.home / "out.jsonl").read_text()) for command in commands], before)

    def test_beams_renormalize_what_is_left_of_the_probabilities(self):
        model, asked = self.home / "model", self.home / "asked.jsonl"
        shutil.copytree(self.shared / "llama", model)
        write_rows(asked, [{"messages": row["messages"][:-1]} for row in self.test])
        said = {}
        for renormalize in (True, False):
            settings = {"num_beams": 4, "max_new_tokens": 12, "eos_token_id": 258, "bad_words_ids": [[word] for word in range(0, 256, 2)], "renormalize_logits": renormalize}
            (model / "generation_config.json").write_text(json.dumps(settings))
            self.succeed("predict", model, "--input", asked, "--output", self.home / "out.jsonl")
            said[renormalize] = [row["prediction"] for row in read_rows(self.home / "out.jsonl")]
            self.assertEqual(said[renormalize], [told for _, told in self.by_transformers(model, self.test)])
        self.assertNotEqual(said[True], said[False])

    def test_an_answer_of_special_tokens_alone_is_right_where_it_is_said(self):
        rows = self.home / "called.jsonl"
        write_rows(rows, [{"messages": [{"role": "user", "content": "call"}, {"role": "assistant", "content": "<|im_start|>"}]}] * 3)
        for said, text, right in ((256, "<|im_start|>", 1.0), (258, "<eos>", 0.0)):
            with self.subTest(said=said):
                self.succeed(self.config(f"said{said}", data={"test_file": str(rows)}, train={"max_steps": 1}, generate={"eos_token_id": [257], "forced_eos_token_id": [said], "max_new_tokens": 1}))
                row = read_rows(self.run_dir(f"said{said}") / "predictions.jsonl")[0]
                self.assertEqual((row["reference"], row["prediction"]), ("<|im_start|>", text))
                self.assertEqual(json.loads((self.run_dir(f"said{said}") / "summary.json").read_text())["test_metrics"]["exact_match"], right)

    def test_special_tokens_are_no_text_of_an_answer(self):
        model, asked = self.home / "model", self.home / "asked.jsonl"
        shutil.copytree(self.shared / "llama", model)
        forced = {"forced_eos_token_id": 256, "max_new_tokens": 12, "eos_token_id": 258}  # <|im_start|>, at which it does not stop
        (model / "generation_config.json").write_text(json.dumps(forced))
        write_rows(asked, [{"messages": row["messages"][:-1]} for row in self.test])
        self.succeed("predict", model, "--input", asked, "--output", self.home / "out.jsonl")
        rows = read_rows(self.home / "out.jsonl")
        self.assertIn(12, [row["tokens"] for row in rows])
        self.assertEqual([row["prediction"] for row in rows], [said for _, said in self.by_transformers(model, self.test)])
        talk = subprocess.run(self.command("chat", model), input=self.test[0]["messages"][0]["content"] + "\n", capture_output=True, text=True, timeout=60)
        self.assertEqual(talk.returncode, 0, talk.stderr)
        self.assertNotIn("<|", talk.stdout)

    def test_a_model_alone_reads_a_prompt_whole(self):
        """Up to its positions, and not to the length that other tasks cut texts to."""
        asked = self.home / "asked.jsonl"
        long = [{"messages": [{"role": "user", "content": f"{i} " + "word" * 25 + f" say {i}"}, {"role": "assistant", "content": "x"}]} for i in range(5)]
        write_rows(asked, [{"messages": row["messages"][:-1]} for row in long])
        for target in (self.shared / "llama", self.home / "exported"):
            if target.name == "exported":
                self.succeed("export", self.shared / "llama", "--output", target)
            done = self.succeed("predict", target, "--input", asked, "--output", self.home / "out.jsonl")
            self.assertIn("prompts are cut on the left to 140 tokens", done.err)  # an eighth of the 160 positions is for the answer
            self.assertNotIn("is read from text", done.err)
            rows = read_rows(self.home / "out.jsonl")
            theirs = [said for _, said in self.by_transformers(self.shared / "llama", long)]
            self.assertEqual([row["prediction"][:len(said)] for row, said in zip(rows, theirs)], theirs)

    def test_a_template_for_tools_goes_along(self):
        """As transformers 5 lays it out, beside chat_template.jinja; it finds both again."""
        from transformers import AutoTokenizer

        model = self.home / "model"
        shutil.copytree(self.shared / "llama", model)
        (model / "additional_chat_templates").mkdir()
        (model / "additional_chat_templates/tool_use.jinja").write_text(TEMPLATE + "{{ tools[0] }}")
        self.succeed("export", model, "--output", self.home / "exported")
        self.assertEqual(AutoTokenizer.from_pretrained(self.home / "exported").chat_template, {"default": TEMPLATE, "tool_use": TEMPLATE + "{{ tools[0] }}"})

    def test_a_model_that_diverged_answers_nothing(self):
        done = self.run_program(self.config(train={"max_steps": 1}, optim={"learning_rate": 1e19}))
        self.assertEqual(done.code, 80, done.err)
        self.assertIn("the training diverged: at its last evaluation, at step 1", done.err)

    def test_a_generation_config_is_read_as_strictly_as_a_config(self):
        model = self.home / "model"
        for settings, told in (({"temperature": 0, "do_sample": True}, "temperature"), ({"top_p": 1.5, "do_sample": True}, "top_p"), ({"max_new_tokens": -3}, "max_new_tokens"), ({"repetition_penalty": "high"}, "repetition_penalty"),
                               ({"temperature": 0.0, "top_k": None, "num_beams": 4}, ""), ({"eos_token_id": [258, 99999, -1]}, "99999 is no token of this model"),
                               ({"renormalize_logits": "yes"}, "renormalize_logits"), ({"max_length": 20}, "max_length = 20 counts the prompt, and has no effect here"),
                               ({"max_time": 3.0}, "max_time = 3.0 is not built"), ({"renormalize_logits": True, "max_length": 20, "max_new_tokens": 3}, ""),
                               ({"suppress_tokens": [1, 2], "min_p": 0.1, "begin_suppress_tokens": None}, "suppress_tokens = [1,2] is not built, and has no effect on answers here")):
            with self.subTest(settings=settings):
                shutil.rmtree(model, ignore_errors=True)
                shutil.copytree(self.shared / "llama", model)
                (model / "generation_config.json").write_text(json.dumps(settings))
                write_rows(self.home / "asked.jsonl", [{"messages": self.test[0]["messages"][:1]}])
                done = self.run_program("predict", model, "--input", self.home / "asked.jsonl", "--output", self.home / "out.jsonl")
                self.assertEqual(done.code, 79 if told in settings else 0, done.err)
                self.assertIn(told, done.err)
        done = self.run_program(self.config(generate={"eos_token_id": [99999]}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("generate.eos_token_id: 99999 is no token", done.err)

    def test_what_cannot_be_is_told(self):
        write_rows(self.home / "plain.jsonl", [{"text": "word1 word2 word3"}] * 9)
        plain = {"train_file": str(self.home / "plain.jsonl"), "validation_file": None, "test_file": None}
        done = self.run_program(self.config(model={"model_name_or_path": str(self.shared / "model")}, data=plain))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("a model of model_type 'bert' sees tokens on both sides", done.err)
        done = self.run_program("chat", self.shared / "model")
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("chat is for language models", done.err)
        done = self.run_program(self.config(generate={"num_beams": 5000}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("generate.num_beams is 5000; wanted at most 1000", done.err)
        done = self.run_program(self.config(generate={"num_beams": 4, "do_sample": True}))
        self.assertEqual(done.code, 78, done.err)
        self.assertIn("generate.num_beams", done.err)

    def test_files_of_a_model_that_lie_are_named_in_a_talk(self):
        model = self.home / "model"
        shutil.copytree(self.shared / "llama", model)
        content = json.loads((model / "tokenizer.json").read_text())
        content["model"]["vocab"]["<far>"] = 9000
        content["added_tokens"].append({**content["added_tokens"][0], "id": 9000, "content": "<far>"})
        (model / "tokenizer.json").write_text(json.dumps(content))
        talk = subprocess.run(self.command("chat", model), input="say <far>\n", capture_output=True, text=True, timeout=60)
        self.assertEqual(talk.returncode, 79, talk.stderr)
        self.assertIn("'<far>' at the id 9000, and the model has 262 embeddings", talk.stderr)
        for content, told in (('{"top_k": ' + '{"a":' * 100_000 + "1" + "}" * 100_001, "nested deeper"), ("[1]", "is not a JSON object"), ("{", "is not JSON: line 1")):
            (model / "generation_config.json").write_text(content)
            talk = subprocess.run(self.command("chat", model), input="", capture_output=True, text=True, timeout=60)
            self.assertEqual(talk.returncode, 79, talk.stderr)
            self.assertIn("generation_config.json", talk.stderr)
            self.assertIn(told, talk.stderr)


if __name__ == "__main__":
    unittest.main()
