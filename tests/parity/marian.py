"""Marian against transformers; see harness.py and pairs.py.

    marian.py PARITY_MODEL [first_case [cases [curves]]]

Both sides have tables of words of their own in one case of three; the bias of the logits is never zero.
"""
import harness
import pairs
import torch
from transformers import MarianConfig, MarianMTModel


class Marian(pairs.Pairs):
    key_bias = "k_proj.bias"

    def config(self, r, number):
        encoder_heads, decoder_heads = r.choice([(1, 2), (2, 2), (4, 2), (2, 4)])
        words, target_words = r.randint(20, 200), r.randint(20, 200)
        shares = number % 3 != 1
        return MarianConfig(vocab_size=words, decoder_vocab_size=words if shares else target_words, share_encoder_decoder_embeddings=shares,
                            d_model=r.choice([8, 12, 24]), encoder_layers=r.randint(1, 3), decoder_layers=r.randint(1, 3), encoder_attention_heads=encoder_heads,
                            decoder_attention_heads=decoder_heads, encoder_ffn_dim=r.choice([13, 32]), decoder_ffn_dim=r.choice([20, 50]), max_position_embeddings=64,
                            activation_function=r.choice(["swish", "gelu", "relu"]), dropout=0.0, attention_dropout=0.0, activation_dropout=0.0, init_std=0.2,
                            scale_embedding=r.choice([True, False]), pad_token_id=r.choice([0, 7]), decoder_start_token_id=r.choice([0, 7]), eos_token_id=1, forced_eos_token_id=1)

    def target_words(self, config):
        return config.decoder_vocab_size

    def model(self, config, read):
        model = MarianMTModel(config)
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias))
        return model

    def beside(self, model):
        return {"final_logits_bias": model.final_logits_bias[0].tolist()}


harness.main(Marian())
