"""What models that write say to the prompts of a case, by the tool and by transformers' generate(); see answers.h."""
import json

import exchange  # answers 77 where transformers is missing
import torch


def for_tool(case):
    """early_stopping is a word in our settings."""
    as_word = {key: json.dumps(value).strip('"') for key, value in case["generate"].items() if key == "early_stopping"}
    return dict(case, generate={**case["generate"], **as_word})


def said_in(directory):
    return json.loads((directory / "said.json").read_text())


def said_by_tool(case, tensors, tool):
    return exchange.hand(for_tool(case), tensors, tool, said_in)


def ended(tokens, stops):
    """Up to the token that ends an answer; what stands behind that one is padding."""
    for place, token in enumerate(tokens):
        if token in stops:
            return {"tokens": tokens[:place], "stopped": True}
    return {"tokens": tokens, "stopped": False}


def said_by_transformers(case, model, together=1):
    """So many prompts at once; more than one only of models that read a source, which is padded behind its end."""
    said, prompts = [], case["prompts"]
    for first in range(0, len(prompts), together):
        some = prompts[first:first + together]
        longest = max(map(len, some))
        ids = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in some])
        mask = torch.tensor([[1] * len(prompt) + [0] * (longest - len(prompt)) for prompt in some])
        with torch.no_grad():
            out = model.generate(input_ids=ids, attention_mask=mask, pad_token_id=0, **case["generate"])
        start = 1 if model.config.is_encoder_decoder else longest
        said += [ended(row, case["generate"]["eos_token_id"]) for row in out[:, start:].tolist()]
    return said
