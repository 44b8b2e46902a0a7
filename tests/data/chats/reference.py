"""Chats as transformers renders them against data/text/chat_template.h: every template of templates.py, of the built-in ones and, where
TRL is installed, of its package, over chats with and without system, tools and several turns, whole and in part.

    reference.py RENDER_CHATS
"""
import datetime
import importlib.util
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

from transformers.utils import chat_template_utils

import templates

DAY = "2026-02-03"
SPECIAL_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather of a <place> & \"day\"", "parameters": {
    "type": "object", "properties": {"place": {"type": "string", "description": "Zürich, 北京"}, "days": {"type": "integer", "default": 3}, "unit": {"enum": ["C", "F"]}},
    "required": ["place"], "additionalProperties": False}}}]
USER, ASSISTANT = {"role": "user", "content": "Hi  there, what's the weather?"}, {"role": "assistant", "content": "Fine, I think.\n"}
SYSTEM = {"role": "system", "content": "  Be brief. “Quotes”, 北京 & <tags>\t"}
CHATS = [
    [USER],
    [USER, ASSISTANT],
    [SYSTEM, USER, ASSISTANT],
    [USER, ASSISTANT, {"role": "user", "content": "And tomorrow?\n\n"}, {"role": "assistant", "content": " Rain\\n 😀 "}],
    [SYSTEM, USER, ASSISTANT, USER, {"role": "assistant", "content": "<think>\nwhy not\n</think>\n\nSnow."}, USER],
    [USER, {"role": "assistant", "content": "<think>hm</think>Yes.", "name": "it"}, USER, {"role": "assistant", "content": "No.", "reasoning_content": "deep\n"}],
    [USER, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "id": "abcdefghi", "function": {"name": "weather", "arguments": {"place": "北京", "days": 2, "exact": True, "unit": None}}}]},
     {"role": "tool", "content": "{\"sky\": \"blue\"}", "tool_call_id": "abcdefghi", "name": "weather"}, {"role": "tool", "content": "18", "name": "weather", "tool_call_id": "abcdefghi"}, {"role": "assistant", "content": "Blue."}],
    [{"role": "user", "content": [{"type": "text", "text": " in parts "}, {"type": "text", "text": "two"}]}, ASSISTANT],
    [USER, USER],
    [SYSTEM],
    [{"role": "user", "content": ""}, {"role": "assistant", "content": "{{ 7 * 7 }} {% generation %} <|im_end|> </s>"}],
]
BUILT_IN = {"chatml": templates.CHATML.replace("{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}", ""),
            "llama3": "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}"
                      "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"}


class Day(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(DAY)


def templates_of_trl():
    found = importlib.util.find_spec("trl")
    folder = found and pathlib.Path(found.origin).parent / "chat_templates"
    return {f"trl/{path.stem}": path.read_text() for path in sorted(folder.glob("*.jinja"))} if folder else {}


def by_transformers(template, wanted, variables):
    """(text, spans in characters), or None where it refuses."""
    chat = wanted["messages"][:wanted["num_messages"]]
    try:
        texts, spans = chat_template_utils.render_jinja_template(
            [chat], tools=wanted["tools"], chat_template=template, add_generation_prompt=wanted["add_generation_prompt"],
            return_assistant_tokens_mask=True, **SPECIAL_TOKENS, **variables)
        return texts[0], [list(span) for span in spans[0]]
    except Exception as error:
        return type(error).__name__ + ": " + str(error)


def in_characters(text, spans):
    encoded = text.encode()
    return [[len(encoded[:byte].decode()) for byte in span] for span in spans]


def cases():
    for messages, tools, prompt, variables in itertools.product(CHATS, (None, TOOLS), (False, True), ({}, {"enable_thinking": False})):
        for count in sorted({len(messages), len(messages) - 1}):
            if count and (not variables or prompt):
                yield {"messages": messages, "tools": tools, "num_messages": count, "add_generation_prompt": prompt}, variables


class Renderer:
    def __init__(self, program, directory):
        self.process = subprocess.Popen([program, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, template, wanted, variables):
        # transformers sees older names for thoughts under the new one
        messages = [({"thinking": m["reasoning_content"], **m} if "reasoning_content" in m else m) for m in wanted["messages"]]
        chat = {"messages": messages, "tools": wanted["tools"], **variables}
        request = {"chat": json.dumps(chat, ensure_ascii=False), "num_messages": wanted["num_messages"], "add_generation_prompt": wanted["add_generation_prompt"],
                   "date": DAY, "template": template}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def compare(name, template, chosen, render, counts):
    for wanted, variables in cases():
        theirs = by_transformers(template, wanted, variables)
        ours = render(chosen, wanted, variables)
        place = f"{name}, {json.dumps(wanted, ensure_ascii=False)} {variables}"
        if isinstance(theirs, str):
            counts["refused"] += 1
            if "problem" not in ours:
                yield f"{place}\n  transformers refuses ({theirs}), ours gives {ours['text']!r}"
            elif theirs.startswith("TemplateError: ") and theirs.removeprefix("TemplateError: ") not in ours["problem"]:
                yield f"{place}\n  the template's own words are missing: {theirs} against {ours['problem']}"
        elif "problem" in ours:
            yield f"{place}\n  ours refuses: {ours['problem']}"
        else:
            text, spans = theirs
            counts["rendered"] += 1
            counts["spans"] += len(spans)
            if ours["text"] != text:
                yield f"{place}\n  theirs {text!r}\n  ours   {ours['text']!r}"
            # transformers counts from the start of a piece of output; where a macro or a set held it, from elsewhere
            elif in_characters(text, ours["generated"]) != spans:
                yield f"{place}\n  spans {spans} against {in_characters(text, ours['generated'])} of {text!r}"


def main(program):
    chat_template_utils.datetime = Day
    from_trl = templates_of_trl()
    known = {**templates.ALL, **from_trl}
    counts = {"rendered": 0, "refused": 0, "spans": 0}
    differences, failing = [], {}
    with tempfile.TemporaryDirectory() as directory:
        pathlib.Path(directory, "tokenizer_config.json").write_text(json.dumps(SPECIAL_TOKENS))
        render = Renderer(program, directory)
        for name, template in known.items():
            path = pathlib.Path(directory, name.replace("/", "_") + ".jinja")
            path.write_text(template)
            found = list(compare(name, template, str(path), render, counts))
            failing.update({name: len(found)} if found else {})
            differences += found
        for name, template in BUILT_IN.items():
            differences += compare(f"built-in {name}", template, name, render, counts)
    print("\n".join(differences[:20]))
    print(f"{len(known)} templates, {len(from_trl)} of them TRL's, {counts['rendered']:,} texts with {counts['spans']:,} spans, {counts['refused']:,} refused by both; {len(differences)} differences {failing or ''}")
    assert counts["rendered"] > 300 and counts["refused"] > 20 and counts["spans"] > 40, counts
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
