"""GPT-2 against transformers; see harness.py and decoder.py.

    gpt2.py PARITY_MODEL [first_case [cases [curves]]]
"""
import decoder
import harness
from transformers import GPT2Config, GPT2ForSequenceClassification


class Gpt2(decoder.Decoder):
    key_bias = "c_attn.bias"
    model_class = GPT2ForSequenceClassification

    def config(self, r, number):
        heads = r.choice([1, 2, 3, 4])
        return GPT2Config(
            vocab_size=r.randint(20, 200), n_embd=heads * r.choice([4, 7, 8, 16, 32]), n_head=heads, n_layer=r.randint(1, 4),
            n_inner=r.choice([None, 13, 50]), n_positions=r.choice([64, 150]), activation_function=harness.ACTIVATIONS[number % 7],
            layer_norm_epsilon=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=r.choice([0.05, 0.2]), pad_token_id=r.choice([0, 2, 5]),
            num_labels=r.randint(2, 7), bos_token_id=1, eos_token_id=1, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0)


harness.main(Gpt2())
