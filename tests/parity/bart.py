"""BART against transformers; see harness.py and pairs.py.

    bart.py PARITY_MODEL [first_case [cases [curves]]]

The bias of the logits is never zero.
"""
import harness
import pairs
import torch
from transformers import BartConfig, BartForConditionalGeneration


class Bart(pairs.Pairs):
    key_bias = "k_proj.bias"

    def config(self, r, number):
        encoder_heads, decoder_heads = r.choice([(1, 2), (2, 2), (4, 2), (2, 4)])
        return BartConfig(vocab_size=r.randint(20, 200), d_model=r.choice([8, 12, 24]), encoder_layers=r.randint(1, 3), decoder_layers=r.randint(1, 3),
                          encoder_attention_heads=encoder_heads, decoder_attention_heads=decoder_heads, encoder_ffn_dim=r.choice([13, 32]), decoder_ffn_dim=r.choice([20, 50]),
                          max_position_embeddings=40, activation_function=r.choice(["gelu", "relu"]), dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, init_std=0.2,
                          scale_embedding=r.choice([True, False]), bos_token_id=0, pad_token_id=r.choice([1, 7]), eos_token_id=2, decoder_start_token_id=r.choice([2, 9]), forced_eos_token_id=2)

    def model(self, config, read):
        model = BartForConditionalGeneration(config)
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias))
        return model

    def beside(self, model):
        return {"final_logits_bias": model.final_logits_bias[0].tolist()}


harness.main(Bart())
