"""Targets that T5 and Marian write, against transformers' generate(), live: same random weights, the same sources, greedy and
by beams, several at once and one entering where another left. In float64 the ids are those of each source alone.

    translations.py PARITY_TRANSLATIONS [first_case [cases]]
"""
import random

import answers
import decoder
import exchange  # answers 77 where transformers is missing
import torch
from transformers import MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5LayerNorm

decoder.exact_in_float64(T5LayerNorm)


def random_model(r, number):
    shared = dict(vocab_size=r.randint(30, 150), d_model=24, eos_token_id=1, pad_token_id=0, decoder_start_token_id=0)
    if number % 2 == 0:
        config = T5Config(d_kv=r.choice([6, 8]), num_heads=3, d_ff=r.choice([32, 50]), num_layers=r.randint(1, 3), relative_attention_num_buckets=8,
                          relative_attention_max_distance=20, dropout_rate=0.0, feed_forward_proj=r.choice(["relu", "gated-gelu"]), tie_word_embeddings=r.random() < 0.5, **shared)
        return T5ForConditionalGeneration(config)
    config = MarianConfig(encoder_layers=r.randint(1, 3), decoder_layers=r.randint(1, 3), encoder_attention_heads=2, decoder_attention_heads=4, encoder_ffn_dim=32, decoder_ffn_dim=50,
                          max_position_embeddings=64, activation_function=r.choice(["swish", "relu"]), dropout=0.0, attention_dropout=0.0, init_std=0.2,
                          scale_embedding=r.random() < 0.5, **shared)
    return MarianMTModel(config)


def random_generation(r, config):
    chosen = {"max_new_tokens": r.choice([1, 7, 20]), "do_sample": False, "eos_token_id": [1], "num_beams": r.choice([1, 4, 4])}
    if config.model_type == "marian":
        chosen.update(bad_words_ids=[[0]], forced_eos_token_id=1)
    if r.random() < 0.25:
        chosen["forced_bos_token_id"] = 9
    if chosen["num_beams"] > 1:
        chosen.update(length_penalty=r.choice([1.0, 0.0, 2.0]), early_stopping=r.choice([False, True, "never"]))
    return chosen


def weights_of(model):
    return [(name, value) for name, value in model.named_parameters() if value.requires_grad]


def agrees(number, case, model, tool, what, together=1):
    """Tells of one case."""
    mine = answers.said_by_tool(case, weights_of(model), tool)
    theirs = answers.said_by_transformers(case, model, together)
    alike = sum(a == b for a, b in zip(mine, theirs, strict=True))
    good = alike == len(mine)
    print(f"{'ok  ' if good else 'FAIL'} case {number}: {model.config.model_type}, {what}: {alike} of {len(mine)} targets alike, "
          f"{sum(len(one['tokens']) for one in mine)} tokens, {sum(one['stopped'] for one in mine)} ended by a token", flush=True)
    return good


def check(number, tool):
    r = random.Random(number)
    torch.manual_seed(number)
    model = random_model(r, number).double().eval()
    for _, value in weights_of(model):
        value.data.add_(torch.randn_like(value) * 0.2)
    words = lambda n: [r.randrange(2, model.config.vocab_size) for _ in range(n)] + [1]
    case = {"config": model.config, "dtype": "float64", "prompts": [words(r.randint(1, 30)) for _ in range(13)], "at_once": r.choice([1, 4, 16]), "generate": random_generation(r, model.config)}
    return agrees(number, case, model, tool, f"{case['generate']['num_beams']} beams")


if __name__ == "__main__":
    exchange.main(check, cases=16)
