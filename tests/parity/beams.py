"""A hundred targets of each model that reads a source, against transformers' generate(), live, greedy and by four beams.

    beams.py PARITY_TRANSLATIONS [first_case [cases]]

The models are trained here for a second, to write the words of a source, some of which fall at random. So they
know where a target ends, but not well: beams end early, at different steps, and an answer that goes on may yet win
over one that has ended. Cases go through all ways to search and all models, then to models of another seed.
"""
import functools
import random

import answers  # answers 77 where transformers is missing
import exchange
import torch
import translations
from transformers import BartConfig, BartForConditionalGeneration, MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration

PAD, END, WORDS, LONGEST = 0, 1, 24, 12
MODELS = ["t5", "marian", "bart"]
BEAMS = {"num_beams": 4, "max_new_tokens": 14}
SEARCHES = [
    {"num_beams": 1, "max_new_tokens": 14},
    {**BEAMS},
    {**BEAMS, "length_penalty": 2.0},
    {**BEAMS, "length_penalty": 0.6, "early_stopping": True},
    {**BEAMS, "length_penalty": 1.4, "early_stopping": "never"},
    {**BEAMS, "length_penalty": -1.0, "max_new_tokens": 6, "forced_eos_token_id": END},
    {**BEAMS, "length_penalty": 3.0, "forced_bos_token_id": 9, "bad_words_ids": [[PAD], [7], [5, 6], [3, 4, 8]], "no_repeat_ngram_size": 2, "repetition_penalty": 1.2},
]


def pairs(r, count):
    """Sources of words, and targets in which three words of ten are left out."""
    sources = [[r.randrange(2, WORDS) for _ in range(r.randint(1, LONGEST - 1))] for _ in range(count)]
    return [source + [END] for source in sources], [[word for word in source if r.random() < 0.7] + [END] for source in sources]


def padded(rows, value):
    return torch.tensor([row + [value] * (LONGEST - len(row)) for row in rows])


def model_of(kind):
    shared = dict(vocab_size=WORDS, d_model=32, eos_token_id=END, forced_eos_token_id=None, pad_token_id=PAD, decoder_start_token_id=PAD)
    if kind == "t5":
        return T5ForConditionalGeneration(T5Config(d_kv=8, num_heads=4, d_ff=64, num_layers=2, dropout_rate=0.0, **shared))
    shared.update(encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64,
                  max_position_embeddings=32, dropout=0.0, scale_embedding=True)
    if kind == "bart":
        return BartForConditionalGeneration(BartConfig(bos_token_id=2, **shared))
    return MarianMTModel(MarianConfig(activation_function="swish", **shared))


@functools.cache
def trained(kind, seed):
    r = random.Random(seed)
    torch.manual_seed(seed)
    model = model_of(kind)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(100):
        sources, targets = pairs(r, 48)
        model(input_ids=padded(sources, PAD), attention_mask=padded([[1] * len(row) for row in sources], 0), labels=padded(targets, -100)).loss.backward()
        optimizer.step(), optimizer.zero_grad()
    return model.double().eval()


def check(number, tool):
    kind, search, seed = MODELS[number % 3], SEARCHES[number // 3 % len(SEARCHES)], number // 3 // len(SEARCHES)
    model = trained(kind, seed)
    sources, _ = pairs(random.Random(-1 - number), 100)
    case = {"config": model.config, "dtype": "float64", "prompts": sources, "at_once": 16, "generate": {"do_sample": False, "eos_token_id": [END], **search}}
    told = ", ".join(f"{key} {value}" for key, value in search.items() if key != "max_new_tokens")
    return translations.agrees(number, case, model, tool, told, together=len(sources))


if __name__ == "__main__":
    exchange.main(check, cases=len(MODELS) * len(SEARCHES))
