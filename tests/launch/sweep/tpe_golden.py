"""Writes tpe_golden.json: densities and splits of Optuna 5's TPESampler, in an environment that has it:

    python tpe_golden.py > tpe_golden.json
"""
import json
import math
import random

import numpy
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_weights

RATE, DROPOUT, BATCH = (1e-5, 1e-2), (0.0, 0.5), 4
SPACE = {"batch": CategoricalDistribution(list(range(BATCH))), "dropout": FloatDistribution(*DROPOUT), "rate": FloatDistribution(*RATE, log=True)}
PARAMETERS = _ParzenEstimatorParameters(prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False, weights=default_weights, multivariate=True)


def draw(generator):
    return [generator.randrange(BATCH), generator.uniform(*DROPOUT), math.exp(generator.uniform(*map(math.log, RATE)))]


def densities(count, generator):
    """Of places that were drawn and of tried ones. Optuna's density of a logarithmic scale is that of the logarithm."""
    tried = [draw(generator) for _ in range(count)]
    places = [draw(generator) for _ in range(4)] + tried[:2]
    as_columns = lambda rows: {name: numpy.array([row[i] for row in rows]) for i, name in enumerate(SPACE)}
    estimator = _ParzenEstimator(as_columns(tried), SPACE, PARAMETERS)
    return {"tried": tried, "places": places, "log_densities": list(estimator.log_pdf(as_columns(places)))}


def split(states, generator):
    """Which trials of a study that minimises are the good ones."""
    study = optuna.create_study()
    trials = []
    for state in states:
        value, steps = generator.uniform(0, 1), generator.choice([1, 3])
        at = {i: value for i in range(1, steps + 1)}
        made = optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED if state == "pruned" else optuna.trial.TrialState.COMPLETE,
                                         value=None if state == "pruned" else value, intermediate_values=at, params={}, distributions={})
        study.add_trial(made)
        trials.append({"state": state, "value": value, "evaluations": steps})
    below, _ = _split_trials(study, study.trials, default_gamma(len(study.trials)))
    return {"trials": trials, "good": [trial.number for trial in below]}


generator = random.Random(5)
optuna.logging.set_verbosity(optuna.logging.ERROR)
print(json.dumps({"optuna": optuna.__version__, "rate": RATE, "dropout": DROPOUT, "batch": BATCH,
                  "densities": [densities(count, generator) for count in (0, 1, 2, 7, 40)],
                  "splits": [split([generator.choice(["finished", "pruned", "pruned"]) for _ in range(count)], generator) for count in (1, 9, 31)] + [split(["pruned"] * 12, generator)]}))
