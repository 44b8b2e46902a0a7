"""Llama, and Mistral with its sliding window, against transformers; see harness.py and decoder.py.

    llama.py PARITY_MODEL [first_case [cases [curves]]]
"""
import decoder
import harness
from transformers import LlamaConfig, LlamaForSequenceClassification, MistralConfig, MistralForSequenceClassification
from transformers.models.llama.modeling_llama import LlamaRMSNorm
from transformers.models.mistral.modeling_mistral import MistralRMSNorm

SEQUENCE = {"llama": LlamaForSequenceClassification, "mistral": MistralForSequenceClassification}


class Llama(decoder.Decoder):
    def config(self, r, number):
        sizes = self.sizes(r, number)
        if number % 4 == 1:
            return MistralConfig(sliding_window=r.choice([None, 2, 7, 20]), **sizes)
        return LlamaConfig(attention_bias=r.choice([True, False]), mlp_bias=r.choice([True, False]),
                           hidden_act=r.choice(["silu", "silu", "gelu_new", "relu"]), **sizes)

    def model(self, config, read):
        return SEQUENCE[config.model_type](config)


decoder.exact_in_float64(LlamaRMSNorm)
decoder.exact_in_float64(MistralRMSNorm)
harness.main(Llama())
